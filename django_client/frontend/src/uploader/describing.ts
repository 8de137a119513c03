import { GatewayError } from '@/gateway/errors';
import type { Gateway } from '@/gateway/gateway';
import { wordsFor } from '@/shared/words';
import type { UploaderItem } from './items';

/** Asks the server what a document is, and writes it into the item; answers why it could not. */
export async function describeItem(item: UploaderItem, gateway: Gateway): Promise<GatewayError | null> {
  const asked = item.token;
  item.message = '';
  item.error = null;
  try {
    const { name, size, mimetype, upload_uuid: documentId } = await gateway.metadata(asked);
    Object.assign(item, { name, size, type: mimetype, documentId });
    return null;
  } catch (error) {
    if (item.token !== asked) {
      return null; // replaced meanwhile
    }
    item.message = wordsFor(error);
    item.error = error instanceof GatewayError ? error : null;
    return item.error;
  } finally {
    item.known = true;
  }
}
