"""For the tests of hosts: a document service in memory. Nothing leaves the process, and nothing needs to be started.

    from osis_document.testing import FakeDocumentsMixin, fake_documents

    class LetterTest(FakeDocumentsMixin, TestCase):
        def test_the_letter_keeps_its_page(self):
            letter = Letter.objects.create(pages=[self.documents.upload(b"Dear all", "page.txt")])
            self.assertEqual(self.documents.content(letter.pages[0]), b"Dear all")

The client that the app gets is the real one; only its rpcs are answered here. It passes the tests that a service passes.
"""

from .fake import FakeDocuments, FakeDocumentsMixin, fake_documents

__all__ = ["FakeDocuments", "FakeDocumentsMixin", "fake_documents"]
