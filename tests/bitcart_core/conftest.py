"""What the kernel's own tests share."""

import hypothesis

# A busy machine is no failure, and a failure must come back when the test is run again.
hypothesis.settings.register_profile("kernel", deadline=None, derandomize=True)
hypothesis.settings.load_profile("kernel")
