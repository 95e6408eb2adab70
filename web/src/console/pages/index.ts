import { icons } from "../../design/icons";
import { consoleWords } from "../../i18n/console";
import { PageRegistry } from "../registry";

/** Every page of the console. A new page is one more `register` here and a module of its own. */
export const pageRegistry = (): PageRegistry =>
  new PageRegistry()
    .register({
      id: "overview",
      path: "/",
      group: "observe",
      title: { en: consoleWords.en.overview, zh: consoleWords.zh.overview },
      icon: icons.overview,
      load: () => import("./overview/overview-page").then(({ OverviewPage }) => OverviewPage),
    })
    .register({
      id: "analytics",
      path: "/analytics",
      group: "observe",
      title: { en: consoleWords.en.analytics, zh: consoleWords.zh.analytics },
      icon: icons.analytics,
      load: () => import("./analytics/analytics-page").then(({ AnalyticsPage }) => AnalyticsPage),
    })
    .register({
      id: "conversations",
      path: "/conversations",
      group: "observe",
      title: { en: consoleWords.en.conversations, zh: consoleWords.zh.conversations },
      icon: icons.talk,
      load: () => import("./conversations/conversations-page").then(({ ConversationsPage }) => ConversationsPage),
    })
    .register({
      id: "knowledge",
      path: "/knowledge",
      group: "knowledge",
      title: { en: consoleWords.en.knowledge, zh: consoleWords.zh.knowledge },
      icon: icons.knowledge,
      load: () => import("./knowledge/knowledge-page").then(({ KnowledgePage }) => KnowledgePage),
    })
    .register({
      id: "gaps",
      path: "/gaps",
      group: "knowledge",
      title: { en: consoleWords.en.gaps, zh: consoleWords.zh.gaps },
      icon: icons.gaps,
      load: () => import("./gaps/gaps-page").then(({ GapsPage }) => GapsPage),
    })
    .register({
      id: "studio",
      path: "/studio",
      group: "studio",
      title: { en: consoleWords.en.studio, zh: consoleWords.zh.studio },
      icon: icons.studio,
      load: () => import("./studio/studio-page").then(({ StudioPage }) => StudioPage),
    })
    .register({
      id: "access",
      path: "/access",
      group: "system",
      title: { en: consoleWords.en.access, zh: consoleWords.zh.access },
      icon: icons.key,
      load: () => import("./access/access-page").then(({ AccessPage }) => AccessPage),
    })
    .register({
      id: "settings",
      path: "/settings",
      group: "system",
      title: { en: consoleWords.en.settings, zh: consoleWords.zh.settings },
      icon: icons.sliders,
      load: () => import("./settings/settings-page").then(({ SettingsPage }) => SettingsPage),
    });
