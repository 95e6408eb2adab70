/**
 * Makes the children of `target` that come after `after` (all, when it is null) equal to those of `source`, touching
 * only what differs, and returns the last of them.
 *
 * Text that merely grew is appended to, so that a selection, a focused button and the scroll of a code block stay.
 * With `keepRest` what stands behind them stays as well: more of the same text will be drawn over it.
 */
export function morphChildren(
  target: Node,
  source: Node,
  after: ChildNode | null = null,
  keepRest = false,
): ChildNode | null {
  let last = after;
  const nodes = [...source.childNodes];
  nodes.forEach((next, index) => {
    const old: ChildNode | null = last ? last.nextSibling : target.firstChild;
    if (keepRest && index === nodes.length - 1) splitText(old, next);
    last = old ? morphNode(target, old, next) : target.appendChild(next);
  });
  if (!keepRest) removeAfter(target, last);
  return last;
}

function removeAfter(target: Node, last: ChildNode | null): void {
  for (;;) {
    const old = last ? last.nextSibling : target.firstChild;
    if (!old) return;
    target.removeChild(old);
  }
}

/** A text of which `next` is the beginning is cut behind it: a cut moves no selection, as writing anew would. */
function splitText(old: ChildNode | null, next: ChildNode): void {
  if (old?.nodeType !== Node.TEXT_NODE || next.nodeType !== Node.TEXT_NODE) return;
  const [{ data }, beginning] = [old as Text, (next as Text).data];
  if (data.length > beginning.length && data.startsWith(beginning)) (old as Text).splitText(beginning.length);
}

function morphNode(parent: Node, old: ChildNode, next: ChildNode): ChildNode {
  if (old.nodeType === Node.TEXT_NODE && next.nodeType === Node.TEXT_NODE) morphText(old as Text, (next as Text).data);
  else if (old.nodeName === next.nodeName && old.nodeType === Node.ELEMENT_NODE) morphElement(old as Element, next as Element);
  else {
    parent.replaceChild(next, old);
    return next;
  }
  return old;
}

function morphText(old: Text, data: string): void {
  if (old.data === data) return;
  if (data.startsWith(old.data)) old.appendData(data.slice(old.data.length));
  else old.data = data;
}

function morphElement(old: Element, next: Element): void {
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of [...next.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  morphChildren(old, next);
}
