import { GatewayError } from '@/gateway/errors';
import { Gateway } from '@/gateway/gateway';
import type { Services } from '@/uploader/store';
import { type RememberedUpload, UploadMemory } from '@/uploading/memory';
import type { Sendable, TransferListener } from '@/uploading/transfer';
import { baseUrl } from './gateway';

/** What becomes of a file that is sent. */
export type Fate = 'stored' | 'sending' | 'lost' | 'limited' | 'refused' | 'faulty';

const STEP_MS = 400;
const STEP_BYTES = 40_000;

const fates: Record<Exclude<Fate, 'sending'>, (file: Sendable, tell: TransferListener) => void> = {
  stored: (file, tell) => tell.done(file.name),
  lost: (file, tell) => {
    tell.progress((file.file?.size ?? 0) * 0.43);
    tell.failed(new GatewayError('offline', '', 503, 30));
  },
  limited: (_, tell) => tell.failed(new GatewayError('rateLimited', '', 429, 45)),
  refused: (_, tell) =>
    tell.failed(new GatewayError('refused', 'The content of the file does not match its extension.', 400)),
  faulty: (_, tell) => tell.failed(new GatewayError('server', '', 500)),
};

/** What an uploader works with where nothing is sent: transfers that end as their files' names say. */
export function fakeServices(fateOf: Record<string, Fate>, remembered: RememberedUpload[] = []): Services {
  const memory = new UploadMemory('/story/', 'files', storage());
  remembered.forEach((each) => memory.keep(each));
  return {
    gateway: new Gateway(baseUrl),
    memory,
    open: (file, tell) => {
      const fate = fateOf[file.name] ?? 'stored';
      let timer: number | undefined;
      const stop = () => clearInterval(timer);
      return {
        start: () => {
          if (fate === 'sending') {
            timer = crawl(file, tell);
          } else {
            setTimeout(() => fates[fate](file, tell));
          }
        },
        stop,
        cancel: () => Promise.resolve(stop()),
      };
    },
  };
}

/** A file of so many bytes, all of them 0. */
export function fakeFile(name: string, type: string, size = 2_000_000): File {
  return new File([new Uint8Array(size)], name, { type, lastModified: 1 });
}

/** Chooses files as a person does. */
export function choose(root: HTMLElement, files: File[]): void {
  const chosen = new DataTransfer();
  files.forEach((file) => chosen.items.add(file));
  const input = root.querySelector<HTMLInputElement>('input[type=file]');
  if (input) {
    input.files = chosen.files;
    input.dispatchEvent(new Event('change'));
  }
}

function crawl(file: Sendable, tell: TransferListener): number {
  const size = file.file?.size ?? 0;
  let sent = size * 0.4;
  tell.created(`${baseUrl}uploads/${encodeURIComponent(file.name)}`, 0);
  tell.progress(sent);
  return window.setInterval(() => {
    sent = Math.min(sent + STEP_BYTES, size * 0.97);
    tell.progress(sent);
  }, STEP_MS);
}

/** A storage that is gone with the story. */
function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    get length() {
      return kept.size;
    },
    key: (index) => [...kept.keys()][index] ?? null,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
    clear: () => kept.clear(),
  };
}
