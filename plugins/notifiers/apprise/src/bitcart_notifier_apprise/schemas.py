"""Which services may be used, by the word before `://`, with the module of Apprise that knows each. A closed list.

Left out for good: what runs programs, reads files or speaks to this machine (`syslog`, `dbus`, `windows`, `fcm`,
`vapid` ...), and what is not HTTP (`mailto`, `irc`, `mqtt` ...). Left out unless the operator asks: what posts
anything anywhere (`json`, `form`, `xml`, `apprise`); webhooks do that better.
"""

from collections.abc import Iterable

from bitcart_core import InputError

HOSTED: dict[str, tuple[str, ...]] = {
    "africas_talking": ("atalk",),
    "bluesky": ("bluesky", "bsky"),
    "brevo": ("brevo",),
    "bulksms": ("bulksms",),
    "bulkvs": ("bulkvs",),
    "burstsms": ("burstsms", "kudosity"),
    "chanify": ("chanify",),
    "clickatell": ("clickatell",),
    "clicksend": ("clicksend",),
    "cliq": ("cliq", "zcliq", "zohocliq"),
    "cm": ("cm",),
    "d7networks": ("d7sms",),
    "dapnet": ("dapnet",),
    "dingtalk": ("dingtalk",),
    "discord": ("discord",),
    "dot": ("dot",),
    "eight00com": ("eight00com",),
    "exotel": ("exotel",),
    "feishu": ("feishu",),
    "firehydrant": ("firehydrant",),
    "flock": ("flock",),
    "fortysixelks": ("46elks", "elks"),
    "freemobile": ("freemobile",),
    "github": ("github",),
    "google_chat": ("gchat",),
    "groundmail": ("groundmail",),
    "groupme": ("groupme",),
    "gupshup": ("gupshup",),
    "httpsms": ("httpsms",),
    "ifttt": ("ifttt",),
    "ilert": ("ilert",),
    "incidentio": ("incidentio",),
    "jira": ("jira",),
    "join": ("join",),
    "kakaotalk": ("kakao", "kakaotalk"),
    "kaleyra": ("kaleyra", "klr"),
    "kavenegar": ("kavenegar",),
    "kook": ("kook",),
    "kumulos": ("kumulos",),
    "lark": ("lark",),
    "lauther": ("lauther",),
    "lfgalarm": ("lfg",),
    "line": ("line",),
    "mailersend": ("mailersend",),
    "messagebird": ("msgbird",),
    "mobilemessage": ("mobilemessage", "mobilemsg"),
    "msg91": ("msg91",),
    "notifiarr": ("notifiarr",),
    "notifyre": ("notifyre",),
    "octopush": ("octopush",),
    "office365": ("azure", "o365"),
    "one_signal": ("onesignal",),
    "opsgenie": ("opsgenie",),
    "pagerduty": ("pagerduty",),
    "pagertree": ("pagertree",),
    "pingram": ("pingram",),
    "plivo": ("plivo",),
    "postmark": ("postmark",),
    "prowl": ("prowl",),
    "pushbullet": ("pbul",),
    "pushed": ("pushed",),
    "pushover": ("pover",),
    "pushplus": ("pushplus", "wecom"),
    "pushsafer": ("psafer", "psafers"),
    "pushward": ("pushward",),
    "pushy": ("pushy",),
    "qq": ("qq",),
    "reddit": ("reddit",),
    "resend": ("resend",),
    "revolt": ("revolt",),
    "ringcentral": ("ringc",),
    "ryver": ("ryver",),
    "sendgrid": ("sendgrid",),
    "serverchan": ("schan",),
    "serwersms": ("serwersms",),
    "ses": ("ses",),
    "seven": ("seven",),
    "signalgrid": ("signalgrid",),
    "signl4": ("signl4",),
    "simplepush": ("simplepush", "spush"),
    "sinch": ("sinch",),
    "slack": ("slack",),
    "smsc": ("smsc",),
    "smsmanager": ("smsmanager", "smsmgr"),
    "smstunnel": ("smstunnel",),
    "sns": ("sns",),
    "spike": ("spike",),
    "splunk": ("splunk", "victorops"),
    "spugpush": ("spugpush",),
    "squadcast": ("squadcast",),
    "stackfield": ("stackfield",),
    "streamlabs": ("strmlabs",),
    "techuluspush": ("push",),
    "telegram": ("tgram",),
    "telesign": ("telesign",),
    "telnyx": ("telnyx",),
    "threema": ("threema",),
    "twilio": ("twilio",),
    "twist": ("twist",),
    "twitter": ("tweet", "twitter", "x"),
    "viber": ("viber",),
    "voipms": ("voipms",),
    "vonage": ("nexmo", "vonage"),
    "webexteams": ("webex", "wxteams"),
    "wecombot": ("wecombot",),
    "whapi": ("whapi",),
    "whatsapp": ("whatsapp",),
    "wpush": ("wpush",),
    "wxpusher": ("wxpusher",),
    "youlmk": ("youlmk",),
    "zalo": ("zalo",),
    "zoom": ("zoom",),
    "zulip": ("zulip",),
}
"""Services that run at one place, the vendor's; by module."""

SELF_HOSTED: dict[str, tuple[str, ...]] = {
    "bark": ("bark", "barks"),
    "betterstack": ("betterstack",),
    "evolution": ("evolution", "evolutions"),
    "flowtriq": ("flowtriq", "flowtriqs"),
    "fluxer": ("fluxer", "fluxers"),
    "goalert": ("goalert", "goalerts"),
    "gorush": ("gorush", "gorushs"),
    "gotify": ("gotify", "gotifys"),
    "home_assistant": ("hassio", "hassios"),
    "humhub": ("humhub", "humhubs"),
    "infobip": ("infobip",),
    "mailgun": ("mailgun",),
    "mastodon": ("mastodon", "mastodons", "toot", "toots"),
    "matrix.base": ("matrix", "matrixs"),
    "mattermost": ("mmost", "mmosts"),
    "misskey": ("misskey", "misskeys"),
    "nextcloud": ("ncloud", "nclouds"),
    "nextcloudtalk": ("nctalk", "nctalks"),
    "notica": ("notica", "noticas"),
    "notifico": ("notifico", "notificos"),
    "ntfy": ("ntfy", "ntfys"),
    "onebot": ("onebot", "onebots"),
    "parseplatform": ("parsep", "parseps"),
    "pinglet": ("pinglet", "pinglets"),
    "pushdeer": ("pushdeer", "pushdeers"),
    "pushjet": ("pjet", "pjets"),
    "rocketchat": ("rocket", "rockets"),
    "sendpulse": ("sendpulse",),
    "signal_api": ("signal", "signals"),
    "smseagle": ("smseagle", "smseagles"),
    "smtp2go": ("smtp2go",),
    "sparkpost": ("sparkpost",),
    "synology": ("synology", "synologys"),
    "trigv": ("trigv", "trigvs"),
    "wechat": ("wechat",),
    "workflows": ("workflow", "workflows"),
    "xmatters": ("xmatters",),
}
"""Services that a merchant names a host for; by module."""

GENERIC: dict[str, tuple[str, ...]] = {
    "apprise_api": ("apprise", "apprises"),
    "custom_form": ("form", "forms"),
    "custom_json": ("json", "jsons"),
    "custom_xml": ("xml", "xmls"),
}
"""Services that post anything to any host; only for operators who ask for them."""

MODULES = {
    schema: module for table in (HOSTED, SELF_HOSTED, GENERIC) for module, names in table.items() for schema in names
}
"""The module of Apprise by schema."""

_ALWAYS = frozenset(schema for table in (HOSTED, SELF_HOSTED) for names in table.values() for schema in names)
_ON_REQUEST = frozenset(schema for names in GENERIC.values() for schema in names)


def allowed_schemas(extra: Iterable[str]) -> frozenset[str]:
    """Return what may be used, with what the operator asks for besides.

    Raises:
        InputError: One of the extra schemas is never allowed, or there is none of that name.
    """
    wanted = frozenset(extra)
    if unknown := wanted - _ON_REQUEST:
        raise InputError(
            f"{', '.join(sorted(unknown))} cannot be allowed; extra_schemas may hold {', '.join(sorted(_ON_REQUEST))}"
        )
    return _ALWAYS | wanted
