import { copyText } from "../design/clipboard";

const COPIED_FOR_MS = 1600;

/** Handles a click on the copy button of a code block; any other click is left alone. */
export async function copyCode(event: Event, words: { copy: string; copied: string }): Promise<void> {
  const button = (event.target as Element).closest<HTMLButtonElement>("button[data-copy]");
  const code = button?.closest(".code")?.querySelector("code");
  if (!button || !code || !(await copyText(code.textContent ?? ""))) return;
  button.textContent = words.copied;
  setTimeout(() => (button.textContent = words.copy), COPIED_FOR_MS);
}
