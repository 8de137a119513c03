import type { en } from './en';
import { editor } from './fr/editor';
import { shared } from './fr/shared';
import { uploader } from './fr/uploader';
import { visualizer } from './fr/visualizer';

export const fr: Record<keyof typeof en, string> = { ...shared, ...uploader, ...visualizer, ...editor };
