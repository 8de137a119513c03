"""Applications in the admin."""

from django.contrib import admin

from .models import Application


@admin.register(Application)
class ApplicationAdmin(admin.ModelAdmin):
    """An ordinary admin: the uploader is the field's own widget."""

    list_display = ("name", "uuid")
