import "./page.css";
import "./widget/guide";
import { TrivetChat, defineChat } from "./chat/trivet-chat";
import type { TrivetWidgetGuide } from "./widget/guide";

defineChat("../");

/** The chat in the corner, the guide and the ground behind them share one choice of language and theme. */
const guide = document.querySelector<TrivetWidgetGuide>("trivet-widget-guide");
const chat = document.querySelector("trivet-chat");
if (guide && chat instanceof TrivetChat) {
  guide.preferences = chat.preferences;
  const follow = (): void => chat.preferences.applyTo(document.documentElement);
  chat.preferences.addEventListener("change", follow);
  follow();
}
