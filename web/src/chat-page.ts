import "./page.css";
import "./chat/trivet-chat";
import type { TrivetChat } from "./chat/trivet-chat";

/** The page around the chat follows its language and theme. */
const chat = document.querySelector<TrivetChat>("trivet-chat");
if (chat) {
  const follow = (): void => chat.preferences.applyTo(document.documentElement);
  chat.preferences.addEventListener("change", follow);
  follow();
}
