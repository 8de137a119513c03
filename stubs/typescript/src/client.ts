import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ClientHttp2Stream } from 'node:http2';
import { basename } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import {
  Code,
  ConnectError,
  createClient,
  type Client as Stub,
  type Interceptor,
  type Transport,
} from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { download, downloadToFile, type DownloadOptions } from './download.js';
import { OsisDocumentError } from './errors.js';
import { DocumentService } from './gen/osis/document/v1/document_service_pb.js';
import { DownloadService, type DownloadHeader } from './gen/osis/document/v1/download_service_pb.js';
import { PostProcessingService } from './gen/osis/document/v1/post_processing_service_pb.js';
import { TokenService } from './gen/osis/document/v1/token_service_pb.js';
import { UploadService, type UploadResult } from './gen/osis/document/v1/upload_service_pb.js';
import type { Limits } from './tries.js';
import { readOnce, upload, type UploadOptions } from './upload.js';

/** Where the service is and how to be let in. */
export interface ConnectOptions {
  /** `host:port`. */
  target: string;
  /** Sent with every call. Not needed for what a token alone allows. */
  apiKey?: string;
  /** Turns TLS on: `{}` trusts the authorities that Node.js knows, `{ ca }` those given, `{ ca, cert, key }` shows a certificate. */
  tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;
}

/** Opens a client; it connects when first used, and again when the connection is lost. */
export const connect = (options: ConnectOptions): Client => new Client(options);

/** The generated stubs of every service, whose calls raise `OsisDocumentError`, and the transfers of whole documents. */
export class Client {
  readonly transport: Transport;
  readonly documents: Stub<typeof DocumentService>;
  readonly downloads: Stub<typeof DownloadService>;
  readonly postProcessings: Stub<typeof PostProcessingService>;
  readonly tokens: Stub<typeof TokenService>;
  readonly uploads: Stub<typeof UploadService>;
  private readonly sessions: Sessions;
  private readonly closing = new AbortController();

  constructor({ target, apiKey, tls }: ConnectOptions) {
    const baseUrl = `${tls ? 'https' : 'http'}://${target}`;
    this.sessions = new Sessions(baseUrl, KEEPALIVE, { ...tls, settings: { initialWindowSize: WINDOW_BYTES } });
    const key: Interceptor = (next) => (request) => {
      if (apiKey) request.header.set('x-api-key', apiKey);
      return next(request);
    };
    this.transport = typed(
      createGrpcTransport({ baseUrl, sessionManager: this.sessions, interceptors: [key], acceptCompression: [] }),
    );
    this.documents = createClient(DocumentService, this.transport);
    this.downloads = createClient(DownloadService, this.transport);
    this.postProcessings = createClient(PostProcessingService, this.transport);
    this.tokens = createClient(TokenService, this.transport);
    this.uploads = createClient(UploadService, this.transport);
  }

  /** Sends a file, and goes on behind the last safe byte when the connection is lost. */
  async uploadFile(path: string, options: Partial<UploadOptions> = {}): Promise<UploadResult> {
    const told = { name: basename(path), sizeBytes: (await stat(path)).size, ...options };
    const source = (start: number): ReadStream => createReadStream(path, { start, highWaterMark: 1 << 20 });
    return upload(this.uploads, source, this.untilClosed(told));
  }

  /** Sends what a stream yields. A lost connection is replaced as long as nothing has to be read again. */
  uploadStream(stream: AsyncIterable<Uint8Array>, options: UploadOptions): Promise<UploadResult> {
    return upload(this.uploads, readOnce(stream), this.untilClosed(options));
  }

  /** Reads a document's content, or a range of it, with `for await`; a stream of it is `Readable.from(client.download(…))`. */
  download(token: string, options: DownloadOptions = {}): AsyncGenerator<Uint8Array, void> {
    return download(this.downloads, token, this.untilClosed(options));
  }

  /** Writes a document's content, or a range of it, to a file. */
  downloadToFile(token: string, path: string, options: DownloadOptions = {}): Promise<DownloadHeader> {
    return downloadToFile(this.downloads, token, path, this.untilClosed(options));
  }

  /** Closes the connection and ends what is under way. */
  close(): void {
    this.closing.abort(new ConnectError('the client was closed', Code.Canceled));
    this.sessions.abort();
  }

  /** Ends a transfer with the client; it would go on over a new connection otherwise. */
  private untilClosed<T extends Limits>(options: T): T {
    const signals = [this.closing.signal, ...(options.signal ? [options.signal] : [])];
    return { ...options, signal: AbortSignal.any(signals) };
  }
}

const WINDOW_BYTES = 8 << 20;
const KEEPALIVE = { pingIntervalMs: 60_000, pingTimeoutMs: 10_000 };

/** Widens the window of the connection, too: Node.js' 64 KiB per round trip are little for documents. */
class Sessions extends Http2SessionManager {
  override async request(...call: Parameters<Http2SessionManager['request']>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...call);
    const session = stream.session;
    if (session && (session.state.effectiveLocalWindowSize ?? 0) < WINDOW_BYTES)
      session.setLocalWindowSize(WINDOW_BYTES);
    return stream;
  }
}

/** A transport that raises `OsisDocumentError` where Connect raises `ConnectError`. */
function typed(inner: Transport): Transport {
  const raise =
    (signal?: AbortSignal) =>
    (error: unknown): never => {
      throw OsisDocumentError.from(error, signal?.aborted);
    };
  return {
    unary: (...call) => inner.unary(...call).catch(raise(call[1])),
    stream: async (...call) => {
      const response = await inner.stream(...call).catch(raise(call[1]));
      const messages = response.message[Symbol.asyncIterator]();
      return {
        ...response,
        message: { [Symbol.asyncIterator]: () => ({ next: () => messages.next().catch(raise(call[1])) }) },
      };
    },
  };
}
