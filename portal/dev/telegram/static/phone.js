// A phone that follows the stand-in: it asks for the state, waits for newer, and shows it. No library, no inline code.
import { WORDS } from "./words.js";

const $ = (id) => document.getElementById(id);
const address = new URL(location.href);
const botName = address.pathname.slice(1);
let pending = address.searchParams.get("start"); // what a link wants to send with START
let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
let me = Number(address.searchParams.get("user") || localStorage.getItem("user") || 0);
let chatId = 0; // 0 is the private one
let topic = 0; // of a group that has topics; 0 is the general one
let state = null;
let told = null; // answered presses that were shown already; null before the first look
let shown = "";

const word = (key) => WORDS[language][key];

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// --- asking ------------------------------------------------------------------------------------------------------------

function url(path, query = {}) {
  const found = new URL(`/ctl/${path}`, location.origin);
  if (botName) found.searchParams.set("bot", botName);
  for (const [name, value] of Object.entries(query)) found.searchParams.set(name, value);
  return found;
}

async function post(path, body) {
  const response = await fetch(url(path), {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) toast(answer.error);
  return response.ok ? answer : null;
}

const act = (deed, body = {}) =>
  post(`users/${me}/${deed}`, { ...(chatId && { chat: chatId }), ...(topic && deed === "say" && { thread: topic }), ...body });

async function follow() {
  for (let after = -1; ; ) {
    try {
      state = await (await fetch(url("state", after < 0 ? {} : { after, wait: 25 }))).json();
      after = state.revision;
      show();
      showCalls(await (await fetch(url("calls", { last: 14 }))).json());
    } catch (error) {
      console.warn(error);
      toast(word("offline"));
      after = -1;
      await new Promise((resume) => setTimeout(resume, 2000));
    }
  }
}

// --- showing -----------------------------------------------------------------------------------------------------------

function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = word("title");
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
  for (const node of document.querySelectorAll("[data-hint]")) node.placeholder = word(node.dataset.hint);
  for (const node of document.querySelectorAll("[data-title]")) node.title = word(node.dataset.title);
  $("language").textContent = word("language");
  $("language").lang = language === "zh" ? "en" : "zh-CN";
  $("commands").setAttribute("aria-label", word("commands"));
}

function show() {
  if (!state.users.some((user) => user.id === me)) me = state.users.length ? state.users[0].id : 0;
  const mine = state.chats.filter((chat) => String(me) in chat.members);
  if (chatId && !mine.some((chat) => chat.id === chatId)) chatId = 0;
  const chat = mine.find((found) => found.id === (chatId || me));
  if (!chatId || !(topic in chat.topics)) topic = 0;
  showPeople();
  showBar(chat, mine);
  showBubbles(chat);
  showFoot(chat);
  showAnswers();
}

function showPeople() {
  const people = state.users.map((user) => {
    const item = make("li");
    const button = make("button", "person");
    button.type = "button";
    button.setAttribute("aria-pressed", String(user.id === me));
    button.append(face(user.first_name, user.id), make("span", "", [user.first_name, user.last_name].filter(Boolean).join(" ")));
    button.addEventListener("click", () => choose(user.id));
    item.append(button);
    return item;
  });
  const focused = [...$("people").children].findIndex((item) => item.contains(document.activeElement));
  $("people").replaceChildren(...people);
  if (focused >= 0 && people[focused]) people[focused].firstChild.focus();
}

function face(name, id) {
  const node = make("span", `face hue${id % 6}`, [...name][0] || "?");
  node.setAttribute("aria-hidden", "true");
  return node;
}

function choose(user) {
  me = user;
  chatId = 0;
  localStorage.setItem("user", String(me));
  [told, shown] = [null, ""];
  show();
}

function showBar(chat, mine) {
  const title = chat && chat.title && topic ? `${chat.topics[topic]} · ${chat.title}` : chat && chat.title;
  const name = title || state.bot.first_name;
  $("with").textContent = name;
  $("face").textContent = [...name][0];
  $("status").textContent = chat && chat.typing ? word("typing") : `@${state.bot.username} · ${word("bot")}`;
  const groups = mine.filter((found) => found.type !== "private");
  const options = [[0, 0, word("privateChat")]];
  for (const group of groups) {
    options.push([group.id, 0, group.title]);
    for (const [thread, name] of Object.entries(group.topics)) options.push([group.id, Number(thread), `${group.title} › ${name}`]);
  }
  const chosen = (id, thread) => id === chatId && thread === topic;
  $("chat").replaceChildren(...options.map(([id, thread, title]) => new Option(title, `${id}/${thread}`, false, chosen(id, thread))));
  $("chat").hidden = groups.length === 0;
  $("block").hidden = !chat || chat.type !== "private";
  $("block").textContent = chat && chat.closed ? word("unblock") : word("block");
}

function showBubbles(chat) {
  const messages = (chat ? chat.messages : []).filter((message) => !chatId || (message.message_thread_id || 0) === topic);
  const now = JSON.stringify([me, chatId, topic, language, messages, state.queries.filter((query) => !query.answer)]);
  if (now === shown) return;
  shown = now;
  const list = $("bubbles");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const nodes = [];
  let day = "";
  for (const message of messages) {
    const of = dayOf(message.date);
    if (of !== day) nodes.push(make("li", "day", (day = of)));
    nodes.push(bubble(message, chat));
  }
  if (!nodes.length) nodes.push(make("li", "day", word(chatId ? "emptyGroup" : "empty")));
  list.replaceChildren(...nodes);
  if (atEnd) list.scrollTop = list.scrollHeight;
}

const locale = () => (language === "zh" ? "zh-CN" : "en-GB");
const dayOf = (seconds) => new Date(seconds * 1000).toLocaleDateString(locale(), { month: language === "zh" ? "long" : "short", day: "numeric" });
const timeOf = (seconds) => new Date(seconds * 1000).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

function bubble(message, chat) {
  const mine = message.from.id === me;
  const item = make("li", `message ${mine ? "mine" : "theirs"}`);
  const box = make("div", "bubble");
  if (!mine && chat.type !== "private") box.append(make("strong", "from", message.from.first_name));
  if (message.forward_origin) box.append(make("span", "quote", `${word("forwarded")} ${message.forward_origin.sender_user.first_name}`));
  if (message.reply_to_message) box.append(make("span", "quote", (message.reply_to_message.text || message.reply_to_message.caption || word("photo")).slice(0, 80)));
  box.append(...media(message));
  const text = message.text ?? message.caption;
  if (text) box.append(formatted(text, message.entities || message.caption_entities || []));
  box.append(foot(message));
  item.append(box);
  if (message.reply_markup) item.append(keyboard(message));
  return item;
}

function media(message) {
  if (message.photo) {
    const image = make("img");
    image.src = `/ctl/files/${message.photo.at(-1).file_id}`;
    image.alt = message.caption || word("photo");
    image.width = message.photo.at(-1).width;
    image.height = message.photo.at(-1).height;
    return [image];
  }
  if (!message.document) return [];
  const link = make("a", "file", message.document.file_name || "file");
  link.href = `/ctl/files/${message.document.file_id}`;
  link.append(make("span", "", `${Math.max(1, Math.round(message.document.file_size / 1024))} KB`));
  return [link];
}

function foot(message) {
  const marks = [message.silent && word("silent"), message.edits && word("edited"), timeOf(message.edit_date || message.date)];
  const node = make("span", "foot", marks.filter(Boolean).join(" · "));
  if (message.reactions.length) node.prepend(make("span", "reaction", message.reactions.join(" ")));
  return node;
}

// Offsets count UTF-16 code units, as JavaScript's strings do.
const TAGS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "code", blockquote: "q", expandable_blockquote: "q" };

function formatted(text, entities) {
  const node = make("p", "text");
  const cuts = new Set([0, text.length]);
  for (const entity of entities) cuts.add(entity.offset).add(entity.offset + entity.length);
  const edges = [...cuts].sort((a, b) => a - b);
  for (let at = 0; at + 1 < edges.length; at += 1) {
    const over = entities.filter((e) => e.offset <= edges[at] && e.offset + e.length >= edges[at + 1]);
    let piece = document.createTextNode(text.slice(edges[at], edges[at + 1]));
    for (const entity of over.reverse()) piece = wrapped(entity, piece, text);
    node.append(piece);
  }
  return node;
}

function wrapped(entity, inside, text) {
  let node = null;
  if (entity.type === "bot_command") {
    node = make("button", "command");
    node.type = "button";
    node.addEventListener("click", () => act("say", { text: text.slice(entity.offset, entity.offset + entity.length) }));
  } else if (entity.type === "url" || entity.type === "text_link") {
    const target = entity.url || text.slice(entity.offset, entity.offset + entity.length);
    if (/^https?:/.test(target)) {
      node = make("a");
      node.href = target;
      node.target = "_blank";
      node.rel = "noopener";
    }
  }
  node ||= make(TAGS[entity.type] || "span", entity.type);
  node.append(inside);
  return node;
}

function keyboard(message) {
  const box = make("div", "keyboard");
  const spinning = state.queries.some((query) => query.message === message.message_id && !query.answer && state.now - query.at < 15);
  for (const row of message.reply_markup.inline_keyboard) {
    const line = make("div", "row");
    for (const button of row) line.append(inlineButton(message, button, spinning));
    box.append(line);
  }
  return box;
}

function inlineButton(message, button, spinning) {
  const target = button.url || (button.web_app && button.web_app.url);
  const node = make("button", `key ${button.style || ""} ${target ? "leads" : ""} ${spinning ? "spins" : ""}`, button.text);
  node.type = "button";
  node.addEventListener("click", () => {
    if (button.web_app) return void openWithin(button.web_app.url);
    if (target) return void window.open(target, "_blank", "noopener");
    if (button.callback_data) act("press", { message: message.message_id, data: button.callback_data });
    if (button.copy_text) navigator.clipboard.writeText(button.copy_text.text);
  });
  return node;
}

// As the app does: the page gets who opened it, signed with the bot's token, behind its address.
async function openWithin(address) {
  const page = window.open("about:blank", "_blank");
  const opened = await post(`users/${me}/web_app`, {});
  if (!page) return;
  if (!opened) return void page.close();
  page.opener = null;
  page.location = `${address}#${new URLSearchParams({ tgWebAppData: opened.init_data, tgWebAppVersion: "9.1", tgWebAppPlatform: "weba" })}`;
}

function showFoot(chat) {
  const closed = Boolean(chat && chat.closed);
  const starting = !closed && (pending !== null || (!chatId && (!chat || !chat.messages.length)));
  $("start").hidden = !(starting || closed);
  $("start").textContent = closed ? word("blocked") : word("start");
  $("start").disabled = closed;
  $("write").hidden = starting || closed;
  const keys = chat && chat.reply_keyboard ? chat.reply_keyboard.keyboard.flat() : [];
  $("keys").hidden = !keys.length || starting;
  $("keys").replaceChildren(...keys.map((key) => {
    const label = key.text || key;
    const node = make("button", "key", label);
    node.type = "button";
    node.addEventListener("click", () => act("say", { text: label }));
    return node;
  }));
}

function showAnswers() {
  const answered = state.queries.filter((query) => query.user === me && query.answer);
  if (told === null) told = new Set(answered.map((query) => query.id));
  for (const query of answered.filter((found) => !told.has(found.id))) {
    told.add(query.id);
    if (query.answer.text && query.answer.show_alert) {
      $("alarm").textContent = query.answer.text;
      if (!$("alert").open) $("alert").showModal();
    } else if (query.answer.text) toast(query.answer.text);
  }
}

let fading = 0;
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => ($("toast").hidden = true), 6000);
}

function showCalls(calls) {
  const rows = calls.filter((call) => call.method !== "getUpdates").reverse().map((call) => {
    const row = make("li", call.status === 200 ? "" : "failed");
    row.append(make("span", "method", call.method), make("span", "code", call.status || "—"));
    if (call.description) row.append(make("span", "why", call.description));
    return row;
  });
  $("calls").replaceChildren(...(rows.length ? rows : [make("li", "none", word("noCalls"))]));
}

// --- doing -------------------------------------------------------------------------------------------------------------

$("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  translate();
  if (state) show();
});
$("chat").addEventListener("change", () => {
  [chatId, topic] = $("chat").value.split("/").map(Number);
  show();
});
$("block").addEventListener("click", () => {
  const chat = state.chats.find((found) => found.id === me);
  post(`users/${me}/${chat && chat.closed ? "unblock" : "block"}`, {});
});
$("start").addEventListener("click", () => {
  const text = pending ? `/start ${pending}` : "/start";
  pending = null;
  history.replaceState(null, "", address.pathname);
  post(`users/${me}/say`, { text });
});
$("write").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value;
  $("text").value = "";
  $("bubbles").scrollTop = $("bubbles").scrollHeight;
  if (text.trim()) act("say", { text });
});
$("join").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  if (!name) return;
  const user = await post("users", { first_name: name, language_code: language });
  $("name").value = "";
  if (!user) return;
  if (!state.users.some((known) => known.id === user.id)) state.users.push(user); // the news may come later
  choose(user.id);
});
$("gather").addEventListener("submit", async (event) => {
  event.preventDefault();
  const title = $("group").value.trim();
  if (!title) return;
  const group = await post("groups", { title, members: state.users.map((user) => user.id), forum: true });
  if (!group) return;
  $("group").value = "";
  [chatId, topic] = [group.id, 0];
  if (state.chats.some((chat) => chat.id === group.id)) show();
});
$("open").addEventListener("submit", (event) => {
  event.preventDefault();
  const payload = /[?&]start=([\w-]{1,64})/.exec($("link").value);
  if (!payload) return toast(word("notALink"));
  [pending, chatId] = [payload[1], 0];
  $("link").value = "";
  show();
  $("start").focus();
});
$("file").addEventListener("change", async () => {
  const file = $("file").files[0];
  if (!file) return;
  const read = new FileReader();
  await new Promise((done) => { read.onload = done; read.readAsDataURL(file); });
  const content = String(read.result).split(",")[1];
  const caption = $("text").value;
  $("text").value = $("file").value = "";
  if (/^image\/(jpeg|png|webp|gif)$/.test(file.type)) await act("photo", { content, caption });
  else await act("document", { content, name: file.name, mime: file.type, caption });
});
$("commands").addEventListener("click", () => {
  const found = state.bot.commands[language] || state.bot.commands[""] || Object.values(state.bot.commands)[0] || [];
  const rows = found.map((command) => {
    const [item, button] = [make("li"), make("button", "entry")];
    button.type = "button";
    button.append(make("strong", "", `/${command.command}`), make("span", "", command.description));
    button.addEventListener("click", () => { toggle(false); act("say", { text: `/${command.command}` }); });
    item.append(button);
    return item;
  });
  $("menu").replaceChildren(...(rows.length ? rows : [make("li", "none", word("noCommands"))]));
  toggle($("menu").hidden);
});
function toggle(open) {
  $("menu").hidden = !open;
  $("commands").setAttribute("aria-expanded", String(open));
}

translate();
follow();
