"""The converters that come with the workers: each module here is one, found by being here.

A converter is a module with two names:

    MIME_TYPES   the types of documents that it takes
    convert      makes a PDF of one, see `registry.Convert`

The worker's own process imports it to learn the types; `convert` is called in an engine process. So what `convert` needs is
imported inside it. Converters of other distributions look the same: see docs/how-to/add-a-converter.md.
"""
