import { editor } from './en/editor';
import { shared } from './en/shared';
import { uploader } from './en/uploader';
import { visualizer } from './en/visualizer';

export const en = { ...shared, ...uploader, ...visualizer, ...editor };
