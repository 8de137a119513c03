import { type DetailedError, type HttpResponse, Upload } from 'tus-js-client';
import { errorOf, GatewayError } from '@/gateway/errors';
import { ChunkSizes } from './chunks';
import type { OpenTransfer, Sendable, Transfer, TransferListener } from './transfer';

const TOKEN_HEADER = 'Osis-Write-Token';
const EXPIRY_HEADER = 'Upload-Expires';

/** Transfers by tus 1.0 to where uploads are created. They read a file part by part, never whole. */
export function tusTransfers(uploadsUrl: string): OpenTransfer {
  const sizes = new ChunkSizes();
  return (file, listener) => new TusTransfer(file, listener, uploadsUrl, sizes);
}

class TusTransfer implements Transfer {
  private readonly upload: Upload;
  private token = '';
  private expires = 0;
  private partStarted = 0;

  constructor(
    sendable: Sendable,
    private readonly listener: TransferListener,
    uploadsUrl: string,
    private readonly sizes: ChunkSizes,
  ) {
    this.upload = new Upload(sendable.file ?? new Blob(), {
      // Without an endpoint the library never starts anew by itself where the server is only away for a moment.
      endpoint: sendable.url ? null : uploadsUrl,
      uploadUrl: sendable.url || null,
      metadata: { filename: sendable.name, filetype: sendable.type },
      chunkSize: sizes.bytes,
      uploadDataDuringCreation: (sendable.file?.size ?? 0) <= ChunkSizes.smallest,
      retryDelays: null,
      storeFingerprintForResuming: false,
      onBeforeRequest: () => void (this.partStarted = Date.now()),
      onAfterResponse: (_, response) => this.readHeaders(response),
      onUploadUrlAvailable: () => this.created(),
      onProgress: (sent) => listener.progress(sent),
      onChunkComplete: (bytes, accepted) => this.partDone(bytes, accepted),
      onSuccess: () => this.succeeded(),
      onError: (error) => this.failed(error),
    });
  }

  start(): void {
    this.upload.start();
  }

  stop(): void {
    void this.upload.abort();
  }

  async cancel(): Promise<void> {
    this.upload.url ??= this.upload.options.uploadUrl ?? null;
    await this.upload.abort(true).catch(() => undefined); // the server forgets it later by itself
  }

  private readHeaders(response: HttpResponse): void {
    this.token = response.getHeader(TOKEN_HEADER) ?? this.token;
    this.expires = Date.parse(response.getHeader(EXPIRY_HEADER) ?? '') || this.expires;
  }

  private created(): void {
    this.upload.options.endpoint = null;
    this.listener.created(this.upload.url ?? '', this.expires);
  }

  private partDone(bytes: number, accepted: number): void {
    this.sizes.succeeded(bytes, (Date.now() - this.partStarted) / 1000);
    this.upload.options.chunkSize = this.sizes.bytes;
    this.listener.accepted(accepted);
  }

  private succeeded(): void {
    if (this.token === '') {
      this.listener.failed(new GatewayError('server'));
    } else {
      this.listener.done(this.token);
    }
  }

  private failed(cause: Error | DetailedError): void {
    const error = gatewayError(cause);
    const couldShrink = this.sizes.failed();
    const proxyRefused = error.fault === 'tooLarge' && error.reason === ''; // the gateway gives a reason
    this.listener.failed(proxyRefused && couldShrink ? new GatewayError('offline', '', 413) : error);
  }
}

function gatewayError(cause: Error | DetailedError): GatewayError {
  if (!('originalRequest' in cause) || !cause.originalRequest) {
    return new GatewayError('refused'); // the file itself cannot be read
  }
  const response = cause.originalResponse;
  if (response && response.getStatus() < 300) {
    return new GatewayError('server', '', response.getStatus()); // somebody else answered, or without what belongs there
  }
  return errorOf(response?.getStatus() ?? 0, response?.getBody() ?? '', response?.getHeader('Retry-After') ?? null);
}
