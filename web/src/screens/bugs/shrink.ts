/**
 * A picture made small enough for a bug: WebP at 0.7 first, then JPEG, smaller and smaller.
 * Belongs here: from a file to base64 within the limit. Does not belong here: where the file comes from.
 */

/** Of the API: characters of base64. Every three bytes are four of them. */
export const MOST_CHARACTERS = 100_000;
const MOST_BYTES = (MOST_CHARACTERS / 4) * 3;
/** What a browser is asked to decode: beyond it a tab may run out of memory. */
const MOST_FILE_BYTES = 40_000_000;
const MOST_PIXELS = 60_000_000;
/** A screenshot stays readable down to here; what is larger still is refused. */
const LEAST_SIDE = 240;
const LONGEST_SIDE = 1920;
const LARGEST_STEP = 0.9;
const QUALITIES = [0.7, 0.45] as const;

export interface Picture {
  base64: string;
  type: string;
  width: number;
  height: number;
}

/** Throws an Error whose message is for the person who chose the file. */
export async function shrink(file: Blob): Promise<Picture> {
  const megabytes = Math.ceil(file.size / 1_000_000);
  if (file.size > MOST_FILE_BYTES) {
    throw new Error(`The file has ${megabytes} MB; at most ${MOST_FILE_BYTES / 1_000_000} MB can be shrunk here. Cut out the part that matters.`);
  }
  const image = await decoded(file);
  try {
    if (image.width * image.height > MOST_PIXELS) {
      throw new Error(`The picture has ${image.width} × ${image.height} points, too many to be shrunk here. Cut out the part that matters.`);
    }
    return await fitting(image);
  } finally {
    image.close();
  }
}

async function decoded(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new Error('This is no picture that the browser can read. Take PNG, JPEG or WebP.');
  }
}

async function fitting(image: ImageBitmap): Promise<Picture> {
  let scale = Math.min(1, LONGEST_SIDE / Math.max(image.width, image.height));
  const first = drawn(image, scale);
  // A browser that writes no WebP answers with PNG.
  const webp = await encoded(first, 'image/webp', QUALITIES[0]);
  if (webp.type === 'image/webp' && webp.size <= MOST_BYTES) return pictureOf(webp, first);
  while (Math.max(image.width, image.height) * scale >= LEAST_SIDE) {
    const canvas = drawn(image, scale);
    let size = 0;
    for (const quality of QUALITIES) {
      const jpeg = await encoded(canvas, 'image/jpeg', quality);
      if (jpeg.size <= MOST_BYTES) return pictureOf(jpeg, canvas);
      size = jpeg.size;
    }
    // Bytes follow the area: one step instead of ten for a picture that is far too large.
    scale *= Math.min(LARGEST_STEP, Math.sqrt(MOST_BYTES / size));
  }
  throw new Error('The picture cannot be made small enough to be read. Cut out the part that matters.');
}

function drawn(image: ImageBitmap, scale: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const context = canvas.getContext('2d');
  if (!context) throw new Error('This browser draws no pictures; report the bug without one.');
  // JPEG knows no transparency, and would make it black.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function encoded(canvas: HTMLCanvasElement, type: string, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture could not be written by this browser.'))), type, quality);
  });
}

async function pictureOf(blob: Blob, { width, height }: HTMLCanvasElement): Promise<Picture> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { base64: btoa(text), type: blob.type, width, height };
}
