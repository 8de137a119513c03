import { t } from '@/i18n';
import type { IconName } from '@/shared/IconGlyph.vue';
import { isMoving, type UploaderItem } from './items';

/** What can be done next about a file's way to the server. */
export interface MainTool {
  label: string;
  icon: IconName;
  act: 'pause' | 'upload' | 'describe';
}

/** The one button for the state that a file is in; null where there is nothing to be done. */
export function mainTool(item: UploaderItem, name: string): MainTool | null {
  if (isMoving(item)) {
    return { label: t('uploader.pause', { name }), icon: 'pause', act: 'pause' };
  }
  if (item.phase === 'paused') {
    return { label: t('uploader.resume', { name }), icon: 'play', act: 'upload' };
  }
  if (item.phase === 'chosen') {
    return { label: t('uploader.uploadThis', { name }), icon: 'upload', act: 'upload' };
  }
  if (item.phase === 'failed' && item.file !== null) {
    return { label: t('uploader.retry', { name }), icon: 'retry', act: 'upload' };
  }
  const canAskAgain = item.phase === 'stored' && ['offline', 'server', 'rateLimited'].includes(item.error?.fault ?? '');
  return canAskAgain ? { label: t('uploader.retry', { name }), icon: 'retry', act: 'describe' } : null;
}
