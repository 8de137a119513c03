import Cropper from 'cropperjs';

const LONGEST_SIDE = 8192;

/**
 * Shows a cropper over an image, with options by Cropper.js's own names, until `ended` says so.
 *
 * The frame stays around the same part of the picture when the window gets another shape, as that of a phone that is turned.
 * Cropper draws the picture anew then, and must not know of the frame meanwhile: one that is larger than the new room would keep
 * the picture larger than it, too.
 */
export function openCropper(
  image: HTMLImageElement,
  options: Record<string, unknown>,
  ready: () => void,
  ended: AbortSignal,
): Cropper {
  let frame: Cropper.Data | null = null;
  const onResize = (act: () => void) => window.addEventListener('resize', act, { signal: ended });
  onResize(() => {
    frame = cropper.getData(); // before Cropper hears of it, which listens from when it is ready
    cropper.clear();
  });
  const cropper: Cropper = new Cropper(image, {
    viewMode: 1,
    autoCropArea: 1,
    ...options,
    // Browsers turn pictures as their EXIF says by themselves; Cropper would read them once more for it, whole.
    checkOrientation: false,
    responsive: true,
    restore: false,
    ready: () => {
      onResize(() => frame?.width && cropper.crop().setData(frame));
      ready();
    },
  });
  ended.addEventListener('abort', () => cropper.destroy());
  return cropper;
}

/** What was cut out, as a file of the same kind and name: JPEG stays JPEG, PNG stays PNG. */
export async function croppedFile(cropper: Cropper, original: File): Promise<File> {
  const type = original.type === 'image/png' ? 'image/png' : 'image/jpeg';
  const canvas = cropper.getCroppedCanvas({
    maxWidth: LONGEST_SIDE,
    maxHeight: LONGEST_SIDE,
    imageSmoothingQuality: 'high',
    ...(type === 'image/jpeg' ? { fillColor: '#fff' } : {}),
  });
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, 0.92));
  if (!blob) {
    throw new Error('The image is too large for this browser.');
  }
  return new File([blob], original.name, { type });
}

const STEP_PIXELS = 10;
const DIRECTIONS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Moves the frame by an arrow key, or changes its size; answers whether it was such a key. */
export function nudgeFrame(cropper: Cropper, key: string, resizes: boolean): boolean {
  const direction = DIRECTIONS[key];
  if (!direction) {
    return false;
  }
  const [x, y] = direction.map((each) => each * STEP_PIXELS) as [number, number];
  const { left, top, width, height } = cropper.getCropBoxData();
  cropper.setCropBoxData(resizes ? { width: width + x, height: height + y } : { left: left + x, top: top + y });
  return true;
}
