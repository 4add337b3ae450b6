// Keeps a page up to date while it is looked at: the server says that something happened, the page
// is fetched again, and only the parts of it that differ are exchanged. Without this script the
// page is complete and is reloaded by hand. Nothing moves, so nobody's wish for less motion is in
// its way; a part in which somebody types stays as it is until they are done.
"use strict";
(() => {
  const KINDS = [
    "incident.opened", "incident.changed", "incident.resolved", "incident.reopened",
    "investigation.queued", "investigation.progress", "investigation.finished",
    "investigation.failed", "reset",
    "approval.pending", "approval.escalated", "approval.approved", "approval.rejected",
    "approval.expired", "approval.superseded", "approval.used", "approval.ended",
    "writes.stopped", "writes.resumed",
    "thread.asked", "thread.answered",
  ];
  const PAUSE_MS = 1000; // a storm costs one page a second, not one an event
  const about = document.body.dataset.about; // the incident of this page; none: all of them
  let stream = null, timer = null, asked = false, busy = false;

  const parts = (root) => [...root.querySelectorAll("[data-live]")];
  const edited = (field) =>
    field.tagName === "SELECT"
      ? [...field.options].some((option) => option.selected !== option.defaultSelected)
      : field.value !== field.defaultValue;
  const inUse = (part) =>
    [...part.querySelectorAll("input, textarea, select")].some(
      (field) => field === document.activeElement || edited(field));
  const name = (element) =>
    element.id || element.getAttribute("href") || element.closest("form")?.getAttribute("action");

  function exchange(old, fresh) {
    const open = [...old.querySelectorAll("details")].map((each) => each.open);
    const held = old.contains(document.activeElement) ? name(document.activeElement) : null;
    const tag = document.activeElement?.tagName;
    fresh.querySelectorAll("details").forEach((each, at) => { each.open = open[at] ?? each.open; });
    old.replaceWith(fresh);
    if (held) {
      [...fresh.querySelectorAll(tag)].find((each) => name(each) === held)
        ?.focus({ preventScroll: true });
    }
  }

  function closed(part) {
    const copy = part.cloneNode(true);
    copy.querySelectorAll("details").forEach((each) => { each.open = false; });
    return copy.outerHTML;
  }

  function show(page) {
    let waits = false;
    const fresh = new Map(parts(page).map((part) => [part.dataset.live, part]));
    for (const old of parts(document)) {
      const part = fresh.get(old.dataset.live);
      if (!part || closed(part) === closed(old)) continue;
      if (inUse(old)) waits = true;
      else exchange(old, document.adoptNode(part));
    }
    document.title = page.title;
    return waits;
  }

  async function look() {
    timer = null;
    if (busy || document.hidden) return;
    busy = true;
    asked = false;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) {
        asked = show(new DOMParser().parseFromString(await answer.text(), "text/html")) || asked;
      }
    } catch {
      asked = true; // the service is away; the stream comes back with it
    }
    busy = false;
    if (asked) soon();
  }

  function soon() {
    asked = true;
    timer ??= setTimeout(look, PAUSE_MS);
  }

  function heard(event) {
    if (!about || event.type === "reset" || JSON.parse(event.data).about === about) soon();
  }

  // A browser keeps few connections to one place, so tabs that nobody sees keep none.
  function listen() {
    stream?.close();
    stream = null;
    if (document.hidden) return;
    stream = new EventSource("/api/v1/events");
    stream.addEventListener("open", soon); // what happened before it was open
    KINDS.forEach((kind) => stream.addEventListener(kind, heard));
  }

  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => stream?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  listen();
})();
