import { createRoot } from "react-dom/client";
import { settings, visitor } from "../../html/visitor.js";
import { assistant } from "./assistant.js";
import { Chat } from "./chat.jsx";

const { base, key } = settings();

createRoot(document.querySelector("#chat")).render(<Chat model={assistant(base, visitor(base, key))} />);
