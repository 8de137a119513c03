"""The gateway's addresses: `path("osis_document/", include("osis_document.urls"))`."""

from django.urls import path

from osis_document.gateway import changing, keeping, post_processing, reading, tokens, tus, uploading

app_name = "osis_document"

urlpatterns = [
    path("request-upload", uploading.RequestUploadView.as_view(), name="request-upload"),
    path("confirm-upload/<path:token>", uploading.ConfirmUploadView.as_view(), name="confirm-upload"),
    path("declare-file-as-infected", keeping.DeclareInfectedView.as_view(), name="declare-file-as-infected"),
    path("declare-files-as-deleted", keeping.DeclareDeletedView.as_view(), name="declare-files-as-deleted"),
    path("read-token/<uuid:uuid>", tokens.ReadTokenView.as_view(), name="read-token"),
    path("write-token/<uuid:uuid>", tokens.WriteTokenView.as_view(), name="write-token"),
    path("read-tokens", tokens.ReadTokensView.as_view(), name="read-tokens"),
    path("metadata", reading.MetadataBatchView.as_view(), name="metadata-batch"),
    path("metadata/<path:token>", reading.MetadataView.as_view(), name="metadata"),
    path("change-metadata/<path:token>", changing.ChangeMetadataView.as_view(), name="change-metadata"),
    path("rotate-image/<path:token>", changing.RotateImageView.as_view(), name="rotate-image"),
    path("save-editor/<path:token>", changing.SaveEditorView.as_view(), name="save-editor"),
    path("file/<path:token>", reading.FileView.as_view(), name="file"),
    path("post-processing", post_processing.PostProcessingView.as_view(), name="post-processing"),
    path(
        "get-progress-async-post-processing/<uuid:uuid>",
        post_processing.ProgressView.as_view(),
        name="get-progress-async-post-processing",
    ),
    path("uploads/", tus.UploadsView.as_view(), name="uploads"),
    path("uploads/<str:upload>", tus.UploadView.as_view(), name="upload"),
    path("duplicate", keeping.DuplicateView.as_view(), name="duplicate"),
]
