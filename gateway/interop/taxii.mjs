// A TAXII 2.1 client, written apart from the gateway, in another language, sharing no code with it. What a server MUST do and a client can see, it holds
// the server to, and throws where that is not so. Sections are those of taxii-v2.1-os, checked as far as its text could be had.

import assert from "node:assert/strict";

export const media = "application/taxii+json;version=2.1"; // 1.6.8
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/; // 1.6.4: microseconds, and UTC

// Refused is an answer that is an error object, section 3.6.1.
export class Refused extends Error {
  constructor(status, headers, body) {
    super(`${status} ${body.title}: ${body.description}`);
    Object.assign(this, { status, headers, body });
  }
}

// elements cuts the elements of a list out of a JSON text, as the bytes that stand there: parsed and written anew they would be others.
export function elements(text, name) {
  let at = text.indexOf(`"${name}"`);
  if (at < 0) return [];
  at = text.indexOf("[", at) + 1;
  const out = [];
  for (let depth = 0, start = -1, quoted = false; at < text.length; at++) {
    const c = text[at];
    if (quoted) {
      if (c === "\\") at++;
      else if (c === '"') quoted = false;
      continue;
    }
    if (c === '"') quoted = true;
    else if (c === "{") {
      if (depth++ === 0) start = at;
    } else if (c === "}") {
      if (--depth === 0) out.push(text.slice(start, at + 1));
    } else if (c === "]" && depth === 0) return out;
    else if (c === "[" ) depth++;
    else if (c === "]") depth--;
  }
  throw new Error("the list does not end");
}

export class Client {
  constructor(origin, token) {
    Object.assign(this, { origin, token });
  }

  // ask is one request. Every answer, an error too, has the media type of TAXII (3.2) and is an object.
  async ask(method, url, { headers = {}, body, token = this.token } = {}) {
    const answer = await fetch(new URL(url, this.origin), {
      method, body, redirect: "error", headers: { Accept: media, ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers },
    });
    const text = await answer.text();
    assert.equal(answer.headers.get("content-type")?.replaceAll(" ", ""), media, `${method} ${url}: Content-Type`);
    if (answer.status >= 400) {
      const error = JSON.parse(text);
      assert.equal(typeof error.title, "string", "3.6.1: title is required");
      assert.equal(error.http_status, String(answer.status), "3.6.1: http_status is the status, as a string");
      throw new Refused(answer.status, answer.headers, error);
    }
    return { status: answer.status, headers: answer.headers, text, body: text === "" ? undefined : JSON.parse(text) };
  }

  get(url, options) {
    return this.ask("GET", url, options);
  }

  // discover walks from the one address that is fixed, section 4.1, to the default API root, section 4.2.
  async discover() {
    const { body } = await this.get("/taxii2/");
    assert.equal(typeof body.title, "string");
    assert.ok(body.api_roots.includes(body.default), "4.1.1: the default is one of the API roots");
    this.root = body.default.endsWith("/") ? body.default : body.default + "/";
    const api = (await this.get(this.root)).body;
    assert.ok(api.versions.includes(media), "4.2.1: versions name 2.1");
    assert.ok(Number.isInteger(api.max_content_length) && api.max_content_length > 0);
    this.max = api.max_content_length;
    return api;
  }

  // collections is section 5.1.
  async collections() {
    const { body } = await this.get(this.root + "collections/");
    const list = body.collections ?? [];
    for (const c of list) this.checkCollection(c);
    return list;
  }

  checkCollection(c) {
    assert.match(c.id, uuid, "5.2.1: a collection's id is a UUID");
    assert.equal(typeof c.title, "string");
    assert.equal(typeof c.can_read, "boolean");
    assert.equal(typeof c.can_write, "boolean");
  }

  at(collection, rest = "") {
    return `${this.root}collections/${collection}/${rest}`;
  }

  // page reads one page of a list: "objects" of objects or of a manifest, or "versions". Its headers tell the stamps of its ends, section 3.2.
  async page(url, query, list) {
    const search = new URLSearchParams(query).toString();
    const { body, headers, text } = await this.get(url + (search && "?" + search));
    const rows = body[list] ?? [];
    assert.ok(!(list in body) || rows.length > 0, "3.7: no list rather than an empty one");
    const [first, last] = [headers.get("x-taxii-date-added-first"), headers.get("x-taxii-date-added-last")];
    if (rows.length) {
      assert.match(first, stamp);
      assert.match(last, stamp);
      assert.ok(first <= last);
    }
    if (query?.limit) assert.ok(rows.length <= Number(query.limit), "3.4: a page has at most limit objects");
    if (body.more) assert.equal(typeof body.next, "string", "3.5: whoever says more says next");
    return { rows, text, more: body.more === true, next: body.next, first, last };
  }

  // walk reads all pages, by next (3.5), or else by the stamp of the last object of each. Of objects it gives the bytes that came, of the rest what
  // they say.
  async walk(url, query, list, { by = "next", bytes = false } = {}) {
    const all = [];
    const pages = [];
    for (let q = { ...query }; ;) {
      const p = await this.page(url, q, list);
      if (pages.length && p.rows.length) assert.ok(p.first > pages.at(-1).last, "the stamps of pages go up");
      pages.push(p);
      all.push(...(bytes ? elements(p.text, list) : p.rows));
      assert.ok(pages.length < 10_000, "it never ends");
      if (!p.more) return { all, pages };
      q = by === "next" ? { ...query, next: p.next } : { ...query, added_after: p.last };
    }
  }

  objects(collection, query = {}, by) {
    return this.walk(this.at(collection, "objects/"), query, "objects", { by, bytes: true });
  }

  manifest(collection, query = {}) {
    return this.walk(this.at(collection, "manifest/"), query, "objects");
  }

  object(collection, id, query = {}) {
    return this.walk(this.at(collection, `objects/${id}/`), query, "objects", { bytes: true });
  }

  versions(collection, id, query = {}) {
    return this.walk(this.at(collection, `objects/${id}/versions/`), query, "versions");
  }

  // add posts an envelope, section 5.5, and asks for its status until it is complete, section 4.3. Returned is the last status.
  async add(collection, raw, headers = { "Content-Type": media }) {
    const { status, body } = await this.ask("POST", this.at(collection, "objects/"), { headers, body: `{"objects":[${raw.join(",")}]}` });
    assert.equal(status, 202, "5.5: accepted");
    let now = body;
    for (let tries = 0; ; tries++) {
      this.checkStatus(now, raw.length);
      now = (await this.get(`${this.root}status/${body.id}/`)).body;
      assert.equal(now.id, body.id);
      if (now.status === "complete") break;
      assert.ok(tries < 100, "it stays pending");
      await new Promise((r) => setTimeout(r, 100));
    }
    this.checkStatus(now, raw.length);
    return now;
  }

  // checkStatus is section 4.3.1.
  checkStatus(s, total) {
    assert.match(s.id, uuid);
    assert.ok(["complete", "pending"].includes(s.status));
    assert.equal(s.total_count, total);
    assert.equal(s.success_count + s.failure_count + s.pending_count, s.total_count, "the counts add up");
    assert.match(s.request_timestamp, stamp);
    for (const [count, list] of [[s.success_count, s.successes], [s.failure_count, s.failures], [s.pending_count, s.pendings]]) {
      assert.ok((list ?? []).length <= count);
      for (const d of list ?? []) {
        assert.equal(typeof d.id, "string");
        assert.equal(typeof d.version, "string");
      }
    }
  }
}
