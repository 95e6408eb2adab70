import "./page.css";
import { TrivetChat, defineChat } from "./chat/trivet-chat";

defineChat("./");

/** The page around the chat follows its language and theme. */
const chat = document.querySelector("trivet-chat");
if (chat instanceof TrivetChat) {
  const follow = (): void => chat.preferences.applyTo(document.documentElement);
  chat.preferences.addEventListener("change", follow);
  follow();
}
