import { css } from "lit";

export const overviewStyles = css`
  .title + section h2 {
    margin-top: 0;
  }

  .heading {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    justify-content: space-between;
    gap: 0 var(--space-4);
    font-size: var(--text-s);
  }

  .concerns > li {
    --tone: var(--amber);
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    align-items: center;
    gap: var(--space-3) var(--space-4);
    padding: var(--space-4) var(--space-5);
    box-shadow: inset 3px 0 var(--tone);
    font-size: var(--text-s);
  }

  .concerns {
    overflow: hidden;
  }

  .concerns > li[data-tone="bad"] {
    --tone: var(--danger);
  }

  .concerns > li + li {
    border-top: 1px solid var(--line);
  }

  .concerns .sign {
    align-self: start;
    color: var(--tone);
  }

  .concerns h3 {
    font-size: var(--text-s);
  }

  .concerns .button {
    min-height: 2.25rem;
    padding-inline: var(--space-4) var(--space-3);
  }

  .unread {
    margin-top: var(--space-3);
  }

  .hours {
    margin-top: var(--space-3);
  }

  .services {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr));
    gap: var(--space-4);
  }

  .service {
    --tone: var(--line-strong);
    position: relative;
    height: 100%;
    padding: var(--space-5) var(--space-5) var(--space-4);
    overflow: hidden;
  }

  /* The ring of the stand that this leg holds. */
  .service::before {
    content: "";
    position: absolute;
    inset: 0 0 auto;
    height: 3px;
    background: var(--tone);
  }

  .service[data-tone="good"] {
    --tone: var(--patina);
  }

  .service[data-tone="warn"] {
    --tone: var(--amber);
  }

  .service[data-tone="bad"] {
    --tone: var(--danger);
  }

  header {
    display: flex;
    align-items: flex-start;
    justify-content: space-between;
    gap: var(--space-3);
  }

  h3 {
    font-weight: 600;
    font-size: var(--text-m);
    line-height: 1.4;
  }

  h3 code,
  .models code {
    color: var(--ink-faint);
    font: 400 var(--text-xs) / 1.4 var(--mono);
  }

  h3 code {
    display: block;
  }

  .checks {
    margin-top: var(--space-4);
  }

  .checks li {
    display: flex;
    gap: var(--space-2);
    padding: var(--space-2) 0;
    border-top: 1px solid var(--line);
    font-size: var(--text-s);
    line-height: 1.45;
  }

  .checks .sign {
    margin-top: 0.125rem;
    color: var(--patina);
  }

  .checks [data-ok="false"] .sign {
    color: var(--danger);
  }

  .checks .sign svg {
    width: 1rem;
    height: 1rem;
  }

  .what {
    min-width: 0;
    overflow-wrap: anywhere;
  }

  .detail {
    display: block;
    color: var(--ink-faint);
    font-size: var(--text-xs);
  }

  .version {
    padding-top: var(--space-2);
    border-top: 1px solid var(--line);
    font-size: var(--text-xs);
  }

  .providers li {
    display: grid;
    grid-template-columns: minmax(7rem, 1fr) minmax(0, 3fr) auto;
    align-items: center;
    gap: var(--space-4);
    padding: var(--space-3) var(--space-5);
  }

  .providers li + li {
    border-top: 1px solid var(--line);
  }

  .name {
    font-weight: 550;
  }

  .models {
    overflow: hidden;
    color: var(--ink-faint);
    font-size: var(--text-s);
    text-overflow: ellipsis;
  }

  .pill {
    width: 4.5rem;
    height: 1.375rem;
  }

  .line {
    height: 0.875rem;
    margin-top: var(--space-4);
  }


  @media (max-width: 40rem) {
    .concerns > li {
      grid-template-columns: auto minmax(0, 1fr);
      padding-inline: var(--space-4);
    }

    .concerns .button {
      grid-column: 2;
      justify-self: start;
    }

    .providers li {
      grid-template-columns: minmax(0, 1fr) auto;
      padding-inline: var(--space-4);
    }

    .models {
      grid-row: 2;
      grid-column: 1 / -1;
    }
  }
`;
