/** Hand a file to the browser to save. */

export function saveFile(url: string, name: string): void {
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name.replace(/[\\/:*?"<>|]+/g, '-');
  document.body.appendChild(anchor);
  anchor.click();
  anchor.remove();
}
