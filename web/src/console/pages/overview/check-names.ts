import { bilingual } from "../../../i18n/words";
import type { Language } from "../../../preferences/preferences";

/** The checks that the services report, in words. */
export const checkWords = bilingual({
  en: {
    assistants: "Assistants",
    company: "Company's file",
    database: "Database",
    default_model: "Default model",
    draining: "Stopping",
    embedder: "Embedder",
    indexing: "Indexing",
    kb: "Knowledge base",
    models: "Models' file",
    outbox: "Outbox of events",
    vector_index: "Vector index",
    writer: "Writer of events",
  },
  zh: {
    assistants: "助手配置",
    company: "公司资料",
    database: "数据库",
    default_model: "默认模型",
    draining: "正在停止",
    embedder: "向量模型",
    indexing: "建立索引",
    kb: "知识库",
    models: "模型配置",
    outbox: "待发事件",
    vector_index: "向量索引",
    writer: "事件写入",
  },
});

/** A check that has no words yet is shown by its own name. */
export function checkName(name: string, language: Language): string {
  const words: Record<string, string> = checkWords[language];
  return words[name] ?? name.replaceAll("_", " ");
}
