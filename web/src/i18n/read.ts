import { bilingual } from "./words";

export const readWords = bilingual({
  en: {
    title: "Guide",
    ask: "Ask a question",
    loading: "Loading the document …",
    missing: "There is no such document.",
  },
  zh: {
    title: "指南",
    ask: "提问",
    loading: "正在加载文档…",
    missing: "没有这个文档。",
  },
});
