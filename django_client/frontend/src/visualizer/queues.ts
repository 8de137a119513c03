import { Queue } from '@/shared/queue';

/** What all visualizers of a page ask the gateway together; browsers keep six connections to a server, and previews need some. */
export const requests = new Queue(3);

/** PDFs that are opened for their first page: each takes a thread. */
export const pdfs = new Queue(2);
