import type { GatewayError } from '@/gateway/errors';

/** What a transfer needs to know of a file. */
export interface Sendable {
  file: File | null;
  name: string;
  type: string;
  /** Where the upload lives on the server; empty before it was created. */
  url: string;
}

/** What becomes known while a file is sent. */
export interface TransferListener {
  /** The upload has an address now, at which it can go on until `expires` (milliseconds since 1970; 0: not said). */
  created(url: string, expires: number): void;
  /** So many bytes have left this computer. */
  progress(sent: number): void;
  /** So many bytes are safe on the server. */
  accepted(offset: number): void;
  /** All is there. */
  done(token: string): void;
  failed(error: GatewayError): void;
}

/** One attempt to send a file, or what is left of it. */
export interface Transfer {
  start(): void;
  /** Stops; the server keeps what it has. */
  stop(): void;
  /** Stops, and lets the server forget what it has. */
  cancel(): Promise<void>;
}

/** Makes a transfer that has not started yet. */
export type OpenTransfer = (file: Sendable, listener: TransferListener) => Transfer;
