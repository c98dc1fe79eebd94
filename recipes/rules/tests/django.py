"""Translations of Django, its forms, its admin site and its management commands."""

from __future__ import annotations

import io


def _setup() -> None:
    import django
    from django.conf import settings

    if settings.configured:
        return
    middleware = ["django.contrib.sessions", "django.contrib.auth", "django.contrib.messages"]
    kinds = ("SessionMiddleware", "AuthenticationMiddleware", "MessageMiddleware")
    settings.configure(
        SECRET_KEY="x",
        USE_I18N=True,
        LANGUAGE_CODE="de",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="django_urls",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            *(
                f"django.contrib.{n}"
                for n in ("admin", "auth", "contenttypes", "sessions", "messages", "humanize")
            )
        ],
        MIDDLEWARE=[f"{one}.middleware.{kind}" for one, kind in zip(middleware, kinds, strict=True)],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
    )
    django.setup()
    _urls()


def _urls() -> None:
    import sys
    import types

    from django.contrib import admin
    from django.urls import path

    module = types.ModuleType("django_urls")
    module.urlpatterns = [path("admin/", admin.site.urls)]
    sys.modules["django_urls"] = module


def _texts(languages: list[str]) -> dict[str, list[str]]:
    import datetime

    from django import forms
    from django.contrib.humanize.templatetags.humanize import naturalday
    from django.utils import dateformat, formats, translation

    class Form(forms.Form):
        mail = forms.EmailField(max_length=3)
        number = forms.IntegerField(min_value=3)

    found = {}
    for language in languages:
        with translation.override(language):
            errors = Form({"mail": "wrong", "number": "1"}).errors
            day = datetime.date(2026, 3, 4)
            found[language] = [
                str(errors.as_json()),
                translation.gettext("Delete selected %(verbose_name_plural)s"),
                translation.ngettext("%(count)d year", "%(count)d years", 2),
                dateformat.format(day, "l, j. F Y"),
                formats.date_format(day, "SHORT_DATE_FORMAT"),
                formats.number_format(12345.67, 2, use_l10n=True, force_grouping=True),
                str(naturalday(day)),
            ]
    return found


def _pages() -> list[str]:
    """The login page and the start page of the admin site, without what differs in each run."""
    import re

    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    output = io.StringIO()
    call_command("check", stdout=output)
    user, _ = User.objects.get_or_create(username="a", is_staff=True, is_superuser=True)
    client = Client()
    login = client.get("/admin/login/").content.decode()
    client.force_login(user)
    pages = [
        login,
        client.get("/admin/").content.decode(),
        client.get("/admin/auth/user/add/").content.decode(),
    ]
    secret = re.compile(r'(value|data-[a-z-]*time[a-z-]*|datetime)="[^"]*"')
    return [output.getvalue(), *(secret.sub("", page) for page in pages)]


def german() -> object:
    """Texts and pages in German and English."""
    _setup()
    return [_texts(["de", "en"]), _pages()]


def translations() -> object:
    """The texts in all languages."""
    from django.conf import settings

    _setup()
    return _texts([code for code, _ in settings.LANGUAGES])
