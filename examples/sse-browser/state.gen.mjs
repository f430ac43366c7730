// Generated from src/event/state.ts by scripts/build-state.ts; do not edit.
// In a project of your own, import the same functions from 'execstream/state'.
// src/event/upsert.ts
function upsert(list, isSame, update) {
  const i = list.findIndex(isSame);
  return i < 0 ? [...list, update()] : list.with(i, update(list[i]));
}

// src/event/child-state.ts
function changeChild(children, { type, data }, change) {
  const { executionId, agentId, taskId, summary, executionKind } = data;
  const kind = kindOf(type, executionKind);
  const name = agentId ?? taskId;
  if (executionId === void 0 && name === void 0) return children;
  const hasId = (child) => child.executionId === executionId;
  const hasName = (child) => child.name === name && child.kind === kind;
  const isFirstId = executionId !== void 0 && type.endsWith("_status") && !children.some(hasId);
  const isAnnounced = (child) => child.executionId === void 0 && hasName(child);
  const isSame = executionId === void 0 ? hasName : isFirstId ? isAnnounced : hasId;
  const named = {
    ...executionId !== void 0 && { executionId },
    ...name !== void 0 && { name },
    ...summary !== void 0 && { summary }
  };
  const kindAfter = (old) => executionKind === void 0 ? old?.kind ?? kind : kind;
  return upsert(children, isSame, (old) => ({
    ...{ ...old, ...named, kind: kindAfter(old), ...change },
    ...attemptAfter(old, type === "task_status" ? data : void 0)
  }));
}
function attemptAfter(old, data) {
  if (!data) return old && Object.keys(NO_ATTEMPT).some((name) => name in old) ? NO_ATTEMPT : {};
  const { taskAttempt, nextAttemptAt, progress, progressOmitted, progressBytes } = data;
  const hasProgress = progress !== void 0 || progressOmitted;
  return {
    ...taskAttempt !== void 0 && { taskAttempt },
    ...(nextAttemptAt ?? old?.nextAttemptAt) !== void 0 && { nextAttemptAt },
    ...hasProgress && { progress, progressOmitted, progressBytes }
  };
}
var NO_ATTEMPT = {
  taskAttempt: void 0,
  nextAttemptAt: void 0,
  progress: void 0,
  progressOmitted: void 0,
  progressBytes: void 0
};
function kindOf(type, executionKind) {
  if (executionKind !== void 0) return executionKind.toLowerCase();
  return type.startsWith("agent") ? "agent" : "task";
}

// src/event/json-equals.ts
function jsonEquals(a, b, spend = () => {
}) {
  spend(1);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((element, i) => jsonEquals(element, b[i], spend));
  }
  const keys = Object.keys(a);
  const otherKeys = Object.keys(b);
  spend(keys.length + otherKeys.length);
  if (keys.length !== otherKeys.length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && jsonEquals(a[key], b[key], spend));
}

// src/event/json-pointer.ts
var PatchError = class extends Error {
  name = "PatchError";
};
function parsePointer(pointer) {
  if (typeof pointer !== "string") throw new PatchError("path: expected a JSON Pointer");
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) throw new PatchError('a JSON Pointer begins with "/"');
  if (/~(?![01])/.test(pointer)) throw new PatchError('a "~" in a JSON Pointer is followed by 0 or 1');
  const tokens = pointer.slice(1).split("/").map(unescapeToken);
  rejectPrototypes(tokens);
  return tokens;
}
function indexIn(array, token) {
  if (token === "-") return array.length;
  const index = /^(?:0|[1-9]\d{0,9})$/.test(token) ? Number(token) : Number.NaN;
  if (index <= array.length) return index;
  throw new PatchError(`"${shorten(token)}" is not an index of an array of ${array.length}`);
}
function shorten(text) {
  return text.length > 80 ? `${text.slice(0, 80)}\u2026` : text;
}
function rejectPrototypes(tokens) {
  tokens.forEach((token, i) => {
    if (token === "__proto__" || token === "prototype" && tokens[i - 1] === "constructor") {
      throw new PatchError(`the path contains ${token}, which JSON Patch libraries reject`);
    }
  });
}
function unescapeToken(token) {
  return !token.includes("~") ? token : token.replaceAll("~1", "/").replaceAll("~0", "~");
}

// src/event/json-patch.ts
function editWithPatch(editor, patch) {
  patch.forEach((operation, i) => {
    try {
      editor.begin();
      applyOperation(editor, operation);
    } catch (error) {
      const where = `patch.${i}: ${operation.op} "${shorten(String(operation.path))}"`;
      throw new PatchError(`${where}: ${error.message}`, { cause: error });
    }
  });
}
function applyPatch(value, patch) {
  const owned = /* @__PURE__ */ new Set();
  const editor = {
    holder: { root: value },
    edit(location) {
      const container = valueAt(location);
      if (typeof container !== "object" || container === null || owned.has(container)) return container;
      const copy = Array.isArray(container) ? [...container] : { ...container };
      owned.add(copy);
      setAt(location, copy);
      return copy;
    },
    begin: () => {
    },
    share: () => owned.clear(),
    insert: insertAt,
    replace: setAt,
    remove: removeAt,
    equals: (a, b) => jsonEquals(a, b)
  };
  editWithPatch(editor, patch);
  return editor.holder.root;
}
function setsWholeValue(patch) {
  const first = patch[0];
  return first?.path === "" && (first.op === "add" || first.op === "replace");
}
function valueAt({ parent, key }) {
  return parent[key];
}
function setAt({ parent, key }, value) {
  if (Array.isArray(parent)) parent[Number(key)] = value;
  else defineMember(parent, String(key), value);
}
function insertAt({ parent, key }, value) {
  if (Array.isArray(parent)) parent.splice(Number(key), 0, value);
  else defineMember(parent, String(key), value);
}
function removeAt({ parent, key }) {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}
function defineMember(object, key, value) {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}
function applyOperation(editor, { op, path, from, value }) {
  switch (op) {
    case "add":
      add(editor, path, required(value), false);
      break;
    case "remove":
      remove(editor, locateExisting(editor, path, true));
      break;
    case "replace":
      editor.replace(locateExisting(editor, path, true), required(value), false);
      break;
    case "test":
      if (!editor.equals(valueAt(locateExisting(editor, path, false)), required(value))) {
        throw new PatchError("the value is not the expected one");
      }
      break;
    case "copy": {
      const source = valueAt(locateExisting(editor, from, false));
      editor.share();
      add(editor, path, source, false);
      break;
    }
    case "move":
      move(editor, from, path);
      break;
    default:
      throw new PatchError(`unknown operation "${shorten(String(op))}"`);
  }
}
function move(editor, from, path) {
  if (`${path}`.startsWith(`${from}/`)) throw new PatchError("a value cannot be moved into itself");
  const source = locateExisting(editor, from, true);
  if (from === path) return;
  const value = valueAt(source);
  remove(editor, source);
  add(editor, path, value, true);
}
function add(editor, path, value, isMoved) {
  const location = locate(editor, path, true);
  const { parent, key } = location;
  if (!Array.isArray(parent) && Object.hasOwn(parent, key)) editor.replace(location, value, isMoved);
  else editor.insert(location, value, isMoved);
}
function remove(editor, location) {
  if (location.depth === 0) editor.replace(location, null, false);
  else editor.remove(location);
}
function locateExisting(editor, path, isEdited) {
  if (path === void 0) throw new PatchError("from: expected a JSON Pointer, got none");
  const location = locate(editor, path, isEdited);
  if (Object.hasOwn(location.parent, location.key)) return location;
  throw new PatchError("there is no value at this path");
}
function locate(editor, path, isEdited) {
  let location = { parent: editor.holder, key: "root", depth: 0 };
  for (const token of parsePointer(path)) {
    const exists = Object.hasOwn(location.parent, location.key);
    const container = !exists ? null : isEdited ? editor.edit(location) : valueAt(location);
    if (typeof container !== "object" || container === null) {
      throw new PatchError("the path leads through a value that is not an object or array, or is absent");
    }
    const key = Array.isArray(container) ? indexIn(container, token) : token;
    location = { parent: container, key, depth: location.depth + 1 };
  }
  return location;
}
function required(value) {
  if (value !== void 0) return value;
  throw new PatchError("value: expected a JSON value, got none");
}

// src/event/content-state.ts
function initialContent(mode) {
  return {
    ...mode !== "STRUCTURED" && { text: "" },
    ...mode !== "TEXT" && { value: null },
    completeness: "full"
  };
}
function reduceContent(state, { type, data }, patchValue = applyPatch) {
  switch (type) {
    case "llm_chunk":
      return state.text === void 0 ? state : { ...state, text: state.text + data.content };
    case "structured_delta":
      return reducePatch(state, data.patch, patchValue);
    case "reset":
      return clearContent(state);
    case "gap":
      return withContent(state, data) ?? loseContent(state);
    case "warning":
      return data.code === "PREFIX_LOST" && state.text !== void 0 ? loseContent(state) : state;
    case "complete":
      return state.completeness === "partial" && withContent(state, contentOf(state, data.result)) || state;
    default:
      return state;
  }
}
function reduceWorkflowContent(state, event) {
  switch (event.type) {
    case "llm_chunk":
      return reduceContent(state.text === void 0 ? { ...state, text: "" } : state, event);
    case "structured_delta":
      return reduceContent(state.value === void 0 ? { ...state, value: null } : state, event);
    case "reset":
      return withoutContent(state);
    case "complete":
      return state;
    default:
      return reduceContent(state, event);
  }
}
function withoutContent({ text: _, value: __, ...rest }) {
  return { ...rest, completeness: "full" };
}
function contentOf({ text, value }, result) {
  if (text !== void 0 && typeof result === "string") return { text: result };
  return value !== void 0 && result !== void 0 ? { value: result } : {};
}
function withContent(state, { text, value }) {
  if (text !== void 0 && state.text !== void 0) return { ...state, text, completeness: "full" };
  if (value !== void 0 && state.value !== void 0) return { ...state, value, completeness: "full" };
  return void 0;
}
function clearContent(state) {
  return {
    ...state,
    ...state.text !== void 0 && { text: "" },
    ...state.value !== void 0 && { value: null },
    completeness: "full"
  };
}
function loseContent(state) {
  return { ...state, ...state.text !== void 0 && { text: "" }, completeness: "partial" };
}
function reducePatch(state, patch, patchValue) {
  if (state.value === void 0) return state;
  try {
    if (state.completeness === "partial" && !setsWholeValue(patch)) return state;
    return { ...state, value: patchValue(state.value, patch), completeness: "full" };
  } catch {
    return { ...state, completeness: "partial" };
  }
}

// src/event/state.ts
var MAX_WARNINGS = 20;
var NONE = [];
function initialState(kind, mode) {
  const content = kind === "workflow" ? { completeness: "full" } : initialContent(mode);
  return {
    kind,
    cursor: "",
    attempt: 0,
    ...content,
    toolCalls: NONE,
    children: NONE,
    warnings: NONE
  };
}
function reduce(state, event) {
  const { id: cursor, seq, attempt } = event;
  if (cursor === state.cursor) return state;
  const isNewEpoch = state.cursor !== "" && epochOf(cursor) !== epochOf(state.cursor);
  const isReplay = event.type === "reset" && seq === 0;
  if (!isNewEpoch && !isReplay && seq <= Number.parseInt(state.cursor, 10)) return state;
  const isWorkflow = state.kind === "workflow";
  const clear = isWorkflow ? withoutContent : clearContent;
  const before = isNewEpoch ? { ...clear(state), ...CLEARED } : state;
  const reduceOwn = isWorkflow ? reduceWorkflowContent : reduceContent;
  return Object.assign({ ...reduceOwn(before, event), cursor, attempt }, changesOf(before, event));
}
var CLEARED = { toolCalls: NONE, end: void 0 };
function changesOf(state, event) {
  switch (event.type) {
    case "workflow_start":
      return { subject: event.data, status: "RUNNING", step: void 0 };
    case "agent_start":
    case "task_start": {
      if (isOwn(state, event)) return { subject: event.data, status: "RUNNING", step: void 0 };
      return { children: changeChild(state.children, event, { status: "RUNNING", step: void 0 }) };
    }
    case "workflow_status": {
      const { status, step, usage = state.usage } = event.data;
      return { status, step, usage };
    }
    case "agent_status":
    case "task_status": {
      const { status, step } = event.data;
      if (isOwn(state, event)) return { status, step };
      return { children: changeChild(state.children, event, { status, step }) };
    }
    case "tool_call": {
      const { toolCallId: id, toolName: name, ...rest } = event.data;
      const update = (old) => withKnownArgs({ ...rest.status !== "started" && old, id, name, ...rest });
      return { toolCalls: upsert(state.toolCalls, (call) => call.id === id, update) };
    }
    case "warning":
      return { warnings: [...state.warnings, event.data].slice(-MAX_WARNINGS) };
    case "reset":
      return CLEARED;
    case "complete":
    case "error": {
      const { status, usage = state.usage } = event.data;
      return { status, step: void 0, usage, end: event.data };
    }
    default:
      return void 0;
  }
}
function withKnownArgs({ argsOmitted, argsBytes, ...call }) {
  return call.args !== void 0 || !argsOmitted ? call : { ...call, argsOmitted, argsBytes };
}
function isOwn({ kind }, { type, data, executionId }) {
  return type.startsWith(kind) && (data.executionId ?? executionId) === executionId;
}
function epochOf(cursor) {
  return cursor.slice(cursor.indexOf("-") + 1);
}
export {
  initialState,
  reduce
};
