import { defineChat } from "./chat/trivet-chat";

/** The chat for any site: the stack is where this script came from. */
defineChat(new URL("./", import.meta.url).href);
