"""Documents that are duplicated, converted, merged, deleted, undeleted and infected in any order, held against a model."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from osis.document.v1.document_pb2 import DocumentRef, DocumentStatus
from osis.document.v1.document_service_pb2 import BatchGetDocumentsRequest, DuplicateDocument
from tests.support import files, images, jobs, tasks
from tests.support.changes import delete, duplicate_all, infect, reason_of, undelete
from tests.support.uploads import store

pytestmark = [pytest.mark.needs_redis, pytest.mark.slow]

UPLOADED = DocumentStatus.DOCUMENT_STATUS_UPLOADED
DELETED = DocumentStatus.DOCUMENT_STATUS_DELETED
INFECTED = DocumentStatus.DOCUMENT_STATUS_INFECTED


class Model:
    """What the contract says of documents, their bytes, and what was made of what."""

    def __init__(self):
        self.status = {}
        #: Documents with the same value share their bytes.
        self.blob = {}
        #: Pairs: the inputs of a task, and its output.
        self.made = []

    def made_from(self, document_ids):
        """These, and all that was made from them, directly or by way of others."""
        found, before = set(document_ids), None
        while before != found:
            before = set(found)
            found |= {output for inputs, output in self.made if found & set(inputs)}
        return found

    def contaminated(self, document_id):
        """All that has the bytes of a document, or of what has, in it."""
        found, before = {document_id}, None
        while before != found:
            before = set(found)
            blobs = {self.blob[each] for each in found}
            found = self.made_from(each for each, blob in self.blob.items() if blob in blobs)
        return found

    def delete(self, document_ids):
        for each in self.made_from(document_ids):
            if self.status[each] == UPLOADED:
                self.status[each] = DELETED

    def undelete(self, document_ids):
        named, back, before = set(document_ids), self.made_from(document_ids), None
        while before != back:
            before = set(back)
            closed = {each for each, status in self.status.items() if status == DELETED} - back
            back -= {output for inputs, output in self.made if closed & set(inputs)} - named
        for each in back:
            if self.status[each] == DELETED:
                self.status[each] = UPLOADED

    def infect(self, document_id):
        infected = self.contaminated(document_id)
        for each in infected:
            self.status[each] = INFECTED
        return infected


class Lifecycles(RuleBasedStateMachine):
    """Does the same to the service and to the model."""

    documents = Bundle("documents")

    def __init__(self, server):
        super().__init__()
        self.server, self.stubs, self.worker = server, server.stubs(), server.stubs("worker")
        self.model = Model()

    def teardown(self):
        self.stubs.close()
        self.worker.close()

    def _note(self, *document_ids):
        """Takes new documents into the model; which bytes they share is looked up."""
        keys = {str(row["id"]).replace("-", ""): row["blob_key"] for row in self.server.rows("document")}
        for document_id in document_ids:
            self.model.status[document_id] = UPLOADED
            self.model.blob[document_id] = keys[document_id.replace("-", "")]
        return multiple(*document_ids)

    @rule(target=documents, kind=st.sampled_from(["form.pdf", "image.png"]))
    def upload(self, kind):
        content = files.pdf("text") if kind == "form.pdf" else images.picture()
        return self._note(store(self.stubs, content, kind).id)

    @rule(target=documents, source=documents)
    def duplicate(self, source):
        [result] = duplicate_all(self.stubs, [DuplicateDocument(document_id=source)])
        expected = {UPLOADED: "", DELETED: "DOCUMENT_DELETED", INFECTED: "DOCUMENT_INFECTED"}[self.model.status[source]]
        assert reason_of(result) == expected
        if expected:
            return multiple()
        made = self._note(result.document.id)
        assert self.model.blob[result.document.id] == self.model.blob[source]
        return made

    @rule(target=documents, sources=st.lists(documents, min_size=1, max_size=3), merged=st.booleans())
    def process(self, sources, merged):
        if {self.model.status[each] for each in sources} != {UPLOADED}:
            return multiple()
        actions = [jobs.CONVERT, jobs.MERGE] if merged else [jobs.CONVERT]
        job = jobs.start(self.stubs, sources, *actions)
        for index in range(len(actions)):
            for task_id in jobs.task_ids(job, index):
                task = tasks.claim(self.worker, task_id)
                if task is not None:
                    output = tasks.upload_output(self.worker, task.lease_id, files.pdf("output"))
                    tasks.complete(self.worker, task.lease_id, output)
        job = jobs.job_of(self.stubs, job.id)
        assert job.state == jobs.DONE
        for action in job.actions:
            for record in action.records:
                [output] = record.output_document_ids
                self.model.made.append((list(record.input_document_ids), output))
        return self._note(*jobs.outputs(job))

    @rule(document_ids=st.lists(documents, min_size=1, max_size=3))
    def delete(self, document_ids):
        results = delete(self.stubs, *document_ids)
        self.model.delete(document_ids)
        self._expect_refused_if_infected(results, document_ids)

    @rule(document_ids=st.lists(documents, min_size=1, max_size=3))
    def undelete(self, document_ids):
        results = undelete(self.stubs, *document_ids)
        self.model.undelete(document_ids)
        self._expect_refused_if_infected(results, document_ids)

    def _expect_refused_if_infected(self, results, document_ids):
        infected = [self.model.status[each] == INFECTED for each in document_ids]
        assert [reason_of(result) for result in results] == ["DOCUMENT_INFECTED" if each else "" for each in infected]

    @rule(document_id=documents)
    def infect(self, document_id):
        answered = [document.id for document in infect(self.stubs, document_id)]
        assert answered[0] == document_id
        assert sorted(answered) == sorted(self.model.infect(document_id))

    @invariant()
    def every_document_has_the_status_that_it_should_have(self):
        if not self.model.status:
            return
        refs = [DocumentRef(document_id=each) for each in self.model.status]
        results = self.stubs.documents.BatchGetDocuments(BatchGetDocumentsRequest(documents=refs)).results
        found = {result.document.id: result.document.status for result in results}
        assert {each: DocumentStatus.Name(status) for each, status in found.items()} == {
            each: DocumentStatus.Name(status) for each, status in self.model.status.items()
        }


@pytest.mark.timeout(600)
def test_whatever_is_done_to_documents_they_stand_as_the_model_says(queueing_server):
    run_state_machine_as_test(
        lambda: Lifecycles(queueing_server),
        settings=settings(max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)),
    )
