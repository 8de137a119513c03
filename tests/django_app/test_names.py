"""The names that applications import, and that importing them needs no more than it must."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

pytestmark = pytest.mark.without_service

NAMES = {
    "osis_document.contrib": "FileField FileUploadField FileFieldSerializer FileUploadWidget ConverterRegistry Converter "
    "ConverterImageToPdf ConverterTextDocumentToPdf merger",
    "osis_document.contrib.fields": "FileField",
    "osis_document.contrib.forms": "FileUploadField TokenField",
    "osis_document.contrib.widgets": "FileUploadWidget HiddenFileWidget",
    "osis_document.contrib.serializers": "FileField",
    "osis_document.contrib.error_code": "ASYNC_POST_PROCESS_FAILED",
    "osis_document.contrib.post_processing.converter_registry": "converter_registry",
    "osis_document.contrib.post_processing.merger": "Merger merger",
    "osis_document.contrib.post_processing.post_processing_enums": "PageFormatEnums",
    "osis_document.api.utils": "get_remote_metadata get_several_remote_metadata get_raw_content_remotely get_remote_token "
    "get_remote_tokens documents_remote_duplicate confirm_remote_upload launch_post_processing declare_remote_files_as_deleted "
    "get_progress_async_post_processing change_remote_metadata CorsAllowOriginMixin",
    "osis_document.utils": "post_process save_raw_upload save_raw_content_remotely confirm_upload get_file_url get_metadata "
    "get_token generate_filename is_uuid calculate_hash",
    "osis_document.enums": "FileStatus TokenAccess DocumentError PostProcessingType PostProcessingWanted PostProcessingStatus "
    "PageFormatEnums DocumentExpirationPolicy",
    "osis_document.exceptions": "HashMismatch MimeMismatch FileInfectedException UploadInvalidException FormatInvalidException "
    "ConversionError MissingFileException InvalidPostProcessorAction InvalidMergeFileDimension SaveRawContentRemotelyException "
    "ServiceTimeout",
    "osis_document.validators": "TokenValidator",
}


@pytest.mark.parametrize("module", NAMES)
def test_every_name_is_where_applications_import_it_from(module):
    found = import_module(module)

    assert [name for name in NAMES[module].split() if not hasattr(found, name)] == []


def test_a_name_that_there_is_not_is_an_attribute_error():
    for module in ("osis_document.contrib", "osis_document.api.utils"):
        with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'Nothing'"):
            _ = import_module(module).Nothing


def test_the_app_is_loaded_without_a_driver_of_postgresql():
    code = (
        "import sys; sys.modules['psycopg'] = sys.modules['psycopg2'] = None\n"
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.django_app.project.settings'\n"
        "from django.conf import settings; del settings.DATABASES['postgresql']\n"
        "django.setup()\n"
        "import osis_document.urls, osis_document.contrib.fields, osis_document.contrib.forms, osis_document.contrib.serializers"
    )

    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)
