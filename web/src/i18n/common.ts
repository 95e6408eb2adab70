import type { Failure, FailureKind } from "../transport/failure";
import type { Language } from "../preferences/preferences";
import { bilingual } from "./words";

export const commonWords = bilingual({
  en: {
    languageName: "English",
    otherLanguage: "中文",
    switchLanguage: "切换到中文",
    themeAuto: "Theme: like the system",
    themeLight: "Theme: light",
    themeDark: "Theme: dark",
    retry: "Try again",
    copy: "Copy",
    copied: "Copied",
    code: "Code",
    reference: (id: string) => `Reference: ${id}`,
    waitSeconds: (seconds: number) => (seconds === 1 ? "Try again in a second." : `Try again in ${seconds} seconds.`),
    details: "What the server said",
    unnamedFailure: "Something went wrong.",
  },
  zh: {
    languageName: "中文",
    otherLanguage: "English",
    switchLanguage: "Switch to English",
    themeAuto: "主题：跟随系统",
    themeLight: "主题：浅色",
    themeDark: "主题：深色",
    retry: "重试",
    copy: "复制",
    copied: "已复制",
    code: "代码",
    reference: (id: string) => `编号：${id}`,
    waitSeconds: (seconds: number) => `请 ${seconds} 秒后再试。`,
    details: "服务器的说明",
    unnamedFailure: "出了点问题。",
  },
});

type FailureWords = Record<FailureKind, string>;

export const failureWords = bilingual<FailureWords>({
  en: {
    offline: "You are offline. The question is kept; try again once the connection is back.",
    unreachable: "The connection could not be made, or it broke.",
    truncated: "The answer broke off before its end.",
    unreadable: "The server sent something that is no answer.",
    empty: "The model gave an empty answer.",
    invalid: "The server could not accept this request.",
    unauthenticated: "You are not logged in, or the login has ended.",
    forbidden: "This is not allowed here.",
    not_found: "What answers here was not found. Perhaps it is not set up yet.",
    conflict: "This clashes with something that happened meanwhile.",
    too_large: "This is too long. Please shorten it.",
    rate_limited: "Too many questions in a short time.",
    upstream: "The service that should answer refused or failed.",
    overloaded: "The service is overloaded or starting.",
    timeout: "The model took too long.",
    internal: "Something went wrong on the server.",
  },
  zh: {
    offline: "您已离线。问题已保留，恢复连接后请重试。",
    unreachable: "无法建立连接，或连接已中断。",
    truncated: "回答没有写完就中断了。",
    unreadable: "服务器返回的内容不是回答。",
    empty: "模型给出了空的回答。",
    invalid: "服务器无法接受这个请求。",
    unauthenticated: "尚未登录，或登录已失效。",
    forbidden: "这里不允许这样做。",
    not_found: "找不到应答的服务，可能还没有配置。",
    conflict: "与刚刚发生的其他操作冲突。",
    too_large: "内容太长，请缩短一些。",
    rate_limited: "短时间内提问太多。",
    upstream: "应答的服务拒绝了请求或出错。",
    overloaded: "服务繁忙或正在启动。",
    timeout: "模型响应超时。",
    internal: "服务器出了点问题。",
  },
});

/** What a person reads first: the failure in words, and how long to wait where that is known. */
export function describeFailure(failure: Failure, language: Language): string {
  const sentence = failureWords[language][failure.kind];
  if (failure.retryAfterSeconds === undefined) return sentence;
  const wait = commonWords[language].waitSeconds(failure.retryAfterSeconds);
  return language === "zh" ? sentence + wait : `${sentence} ${wait}`;
}
