/** The address of a picture that is drawn on the spot; behind a `?` in its name are the degrees that it is turned by. */
export function picture(token: string): string {
  const degrees = Number(token.split('?')[1] ?? 0);
  const canvas = document.createElement('canvas');
  const [width, height] = degrees % 180 === 0 ? [480, 320] : [320, 480];
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d');
  if (context) {
    context.translate(width / 2, height / 2);
    context.rotate((degrees * Math.PI) / 180);
    draw(context);
  }
  return canvas.toDataURL('image/png');
}

/** A landscape with its sun to the right, so that one sees how it is turned. */
function draw(context: CanvasRenderingContext2D): void {
  context.fillStyle = '#bcdcf5';
  context.fillRect(-240, -160, 480, 320);
  context.fillStyle = '#f5c542';
  context.beginPath();
  context.arc(130, -80, 40, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = '#3d7d4f';
  context.beginPath();
  context.moveTo(-240, 160);
  context.lineTo(-90, -50);
  context.lineTo(40, 90);
  context.lineTo(110, 20);
  context.lineTo(240, 160);
  context.fill();
}
