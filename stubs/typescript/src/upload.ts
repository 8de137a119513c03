import { createHash, randomUUID } from 'node:crypto';
import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, type Client } from '@connectrpc/connect';
import { OsisDocumentError } from './errors.js';
import type {
  UploadResult,
  UploadService,
  WriteUploadRequestSchema,
} from './gen/osis/document/v1/upload_service_pb.js';
import { Tries, type Limits } from './tries.js';

/** How a file is sent. */
export interface UploadOptions extends Limits {
  /** The document's name, with its extension. */
  name: string;
  /** A UUID that becomes the document's id; a random one by default. That of an interrupted upload goes on with it. */
  uploadId?: string;
  /** The file's length in bytes, if it is known. */
  sizeBytes?: number;
  /** The users' own keys. */
  metadata?: JsonObject;
  /** How much each message carries at most; 1 MiB by default. */
  chunkSizeBytes?: number;
}

/** The bytes from a place on. */
export type Source = (offset: number) => AsyncIterable<Uint8Array>;

/** Reads a stream once: it goes on where it stands, or not at all. */
export function readOnce(stream: AsyncIterable<Uint8Array>): Source {
  const chunks = stream[Symbol.asyncIterator]();
  let position = 0;
  let reading: Promise<unknown> = Promise.resolve();
  return async function* (offset) {
    for (;;) {
      await reading; // of a connection that was lost
      const message = `the connection was lost, and byte ${offset} of the stream cannot be read again`;
      if (offset !== position) throw new OsisDocumentError(message, Code.Unavailable);
      const next = chunks.next();
      reading = next.then(
        ({ value, done }) => (position += done ? 0 : value.length),
        () => undefined,
      );
      const { value, done } = await next;
      if (done) return;
      offset += value.length;
      yield value;
    }
  };
}

/** Sends a source over as many connections as it takes. */
export async function upload(
  stub: Client<typeof UploadService>,
  source: Source,
  options: UploadOptions,
): Promise<UploadResult> {
  const { name, sizeBytes, metadata, uploadId = randomUUID(), chunkSizeBytes = 1 << 20 } = options;
  // An empty file is not declared: the service has an error of its own for it.
  const spec = { uploadId, name, ...(sizeBytes && { sizeBytes: BigInt(sizeBytes) }), ...(metadata && { metadata }) };
  const tries = new Tries(options);
  const hash = createHash('sha256');
  let [hashed, persisted] = [0, 0];
  let current: object | undefined;
  let fault: unknown; // of the source: Connect would report a lost connection

  async function* messages(offset: number): AsyncGenerator<MessageInitShape<typeof WriteUploadRequestSchema>> {
    const mine = (current = {});
    let firstMessage: { case: 'uploadSpec'; value: typeof spec } | { case: undefined } = {
      case: 'uploadSpec',
      value: spec,
    };
    let end = Math.min(hashed, offset); // what was never hashed is read, too, when the upload goes on behind it
    try {
      for await (const data of source(end)) {
        if (current !== mine) return; // another connection has taken over
        const start = end;
        end += data.length;
        hash.update(data.subarray(Math.max(0, hashed - start)));
        hashed = Math.max(hashed, end);
        for (let at = Math.max(start, offset); at < end; at += chunkSizeBytes) {
          yield { firstMessage, writeOffset: BigInt(at), data: data.subarray(at - start, at - start + chunkSizeBytes) };
          firstMessage = { case: undefined };
        }
      }
      if (current !== mine) return;
      yield { firstMessage, writeOffset: BigInt(end), finishWrite: true, sha256: hash.copy().digest('hex') };
    } catch (error) {
      if (!(error instanceof ConnectError) && !options.signal?.aborted) fault = error;
      throw error;
    }
  }

  async function ask(): Promise<UploadResult | number> {
    try {
      const { outcome } = await stub.getUploadStatus({ uploadId }, tries.options());
      return outcome.case === 'result' ? outcome.value : Number(outcome.value);
    } catch (error) {
      if (error instanceof OsisDocumentError && error.reason === 'UPLOAD_NOT_FOUND') return 0; // nothing is kept
      throw error;
    }
  }

  // What is finished under this id may have been another file.
  async function sameContent(result: UploadResult): Promise<UploadResult> {
    let mine: string | undefined;
    for await (const message of messages(Number(result.document?.sizeBytes ?? 0n))) mine = message.sha256;
    if (result.document?.revision !== 0n || result.document.sha256 === mine) return result;
    const text = `upload ${uploadId} was finished with another file; a new file needs a new upload id`;
    const details = { upload_id: uploadId, field: 'sha256' };
    throw new OsisDocumentError(text, Code.FailedPrecondition, 'UPLOAD_SPEC_CONFLICT', details);
  }

  for (let resumed = options.uploadId !== undefined; ; resumed = true) {
    let error: OsisDocumentError | undefined;
    try {
      const offset = resumed ? await ask() : 0;
      if (typeof offset !== 'number') return await sameContent(offset);
      if (offset > persisted) tries.gotOn();
      persisted = Math.max(offset, persisted);
      const { outcome } = await stub.writeUpload(messages(offset), tries.options());
      if (outcome.case === 'result') return outcome.value;
    } catch (raised) {
      if (fault || !(raised instanceof OsisDocumentError)) throw fault ?? raised;
      // A gap, or an upload that went away, means that our idea of where it stands is out of date: ask again.
      if (!raised.transient && raised.reason !== 'OFFSET_GAP' && raised.reason !== 'UPLOAD_NOT_FOUND') throw raised;
      error = raised;
    }
    current = undefined;
    const stopped = `the upload of '${name}' was interrupted; to go on, send it again with the upload id ${uploadId}`;
    await tries.pause(error, stopped, { upload_id: uploadId, persisted_size: String(persisted) });
  }
}
