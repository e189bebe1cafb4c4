"""Notification targets."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import ValidationError

from bitcart_core.db import transaction
from bitcart_core.errors import InputError
from bitcart_core.models import NotificationTarget
from bitcart_host_api.schemas.notifications import CreateNotification, DisplayNotification
from bitcart_host_api.security import Caller, TheKernel, needs

router = APIRouter(prefix="/notifications", tags=["notifications"])


@router.post("")
def create_notification(
    body: CreateNotification, kernel: TheKernel, caller: Annotated[Caller, Depends(needs("notification_management"))]
) -> DisplayNotification:
    """Name a recipient of one of the notifiers that are loaded."""
    notifier = kernel.registry.notifiers.get(body.provider)
    if notifier is None:
        offered = ", ".join(sorted(kernel.registry.notifiers)) or "none; add a notifier to plugins.toml"
        raise InputError(f"Unsupported notification provider {body.provider!r}; there are: {offered}", field="provider")
    try:
        notifier.target_model.model_validate(body.data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(["data", *map(str, first["loc"])])
        raise InputError(f"{field}: {first['msg']}", field=field) from None
    row = NotificationTarget(
        user_id=caller.user.id, name=body.name, notifier=body.provider, data=body.data, meta=body.metadata
    )
    with transaction(kernel.engine) as session:
        session.add(row)
    return DisplayNotification.of(row, is_known=True)
