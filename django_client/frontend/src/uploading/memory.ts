/** What is remembered of an upload: how to find it again, and nothing of what is in the file. */
export interface RememberedUpload {
  id: string;
  name: string;
  size: number;
  type: string;
  lastModified: number;
  /** Its address; empty where it has a token. */
  url: string;
  /** Its token; empty while it is not finished. */
  token: string;
  sent: number;
  /** Until when the server keeps it, in milliseconds since 1970. */
  expires: number;
  /** The form was sent with it; whether it arrived is not known. */
  submitted?: boolean;
}

const PREFIX = 'osis-document:uploads:';
const USUAL_LIFE_MS = 15 * 60_000;

/**
 * Remembers uploads of one field of one page over a reload.
 *
 * It is the tab's own storage: it is gone when the tab is closed, and another tab, or the next person at this computer, sees
 * nothing of it.
 */
export class UploadMemory {
  private readonly key: string;

  constructor(
    page: string,
    field: string,
    private readonly storage: Storage | null = ownStorage(),
  ) {
    this.key = `${PREFIX}${page}:${field}`;
  }

  /** What has not expired, in the order in which it came. */
  all(): RememberedUpload[] {
    try {
      const kept: unknown = JSON.parse(this.storage?.getItem(this.key) ?? '[]');
      return Array.isArray(kept) ? kept.filter((each) => isRemembered(each) && each.expires > Date.now()) : [];
    } catch {
      return [];
    }
  }

  /** Remembers an upload, or how it stands now. */
  keep(upload: RememberedUpload): void {
    const entry = { ...upload, expires: upload.expires || Date.now() + USUAL_LIFE_MS };
    const known = this.all();
    const place = known.findIndex(({ id }) => id === upload.id);
    this.write(place < 0 ? [...known, entry] : known.with(place, entry));
  }

  forget(id: string): void {
    this.write(this.all().filter((each) => each.id !== id));
  }

  /** The form is on its way. Should it not arrive, all of this is needed again. */
  submitted(): void {
    this.write(this.all().map((each) => ({ ...each, submitted: true })));
  }

  /** Forgets what was submitted, unless somebody came back to the form, as one does after a page that could not be reached. */
  begin(cameBack: boolean): void {
    if (!cameBack) {
      this.write(this.all().filter((each) => !each.submitted));
    }
  }

  private write(uploads: RememberedUpload[]): void {
    try {
      if (uploads.length > 0) {
        this.storage?.setItem(this.key, JSON.stringify(uploads));
      } else {
        this.storage?.removeItem(this.key);
      }
    } catch {
      // Full or forbidden: uploads work all the same, only a reload loses them.
    }
  }
}

/** Whether this page was reached by going back or forward, or by loading it again. */
export function cameBack(): boolean {
  const [entry] = performance.getEntriesByType?.('navigation') ?? [];
  return ['back_forward', 'reload'].includes((entry as PerformanceNavigationTiming | undefined)?.type ?? '');
}

function isRemembered(value: unknown): value is RememberedUpload {
  const entry = (value ?? {}) as Partial<RememberedUpload>;
  return (
    typeof entry.id === 'string' &&
    typeof entry.name === 'string' &&
    typeof entry.size === 'number' &&
    typeof entry.expires === 'number' &&
    typeof entry.token === 'string' &&
    typeof entry.url === 'string' &&
    entry.token + entry.url !== ''
  );
}

function ownStorage(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null; // forbidden by the browser's settings
  }
}
