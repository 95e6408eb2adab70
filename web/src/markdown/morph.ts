/**
 * Makes the children of `target` that come after `after` (all, when it is null) equal to those of `source`, touching
 * only what differs.
 *
 * Text that merely grew is appended to, so that a selection, a focused button and the scroll of a code block stay.
 */
export function morphChildren(target: Node, source: Node, after: ChildNode | null = null): void {
  let old = after ? after.nextSibling : target.firstChild;
  for (const next of [...source.childNodes]) {
    const following: ChildNode | null = old?.nextSibling ?? null;
    if (old) morphNode(target, old, next);
    else target.appendChild(next);
    old = following;
  }
  while (old) {
    const following = old.nextSibling;
    target.removeChild(old);
    old = following;
  }
}

function morphNode(parent: Node, old: Node, next: Node): void {
  if (old.nodeType === Node.TEXT_NODE && next.nodeType === Node.TEXT_NODE) morphText(old as Text, (next as Text).data);
  else if (old.nodeName === next.nodeName && old.nodeType === Node.ELEMENT_NODE) morphElement(old as Element, next as Element);
  else parent.replaceChild(next, old);
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
