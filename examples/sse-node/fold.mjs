// What the messages of an execution add up to: a text or a value.

/**
 * Makes the state of an execution that nothing is known of yet. `take` adds a message and answers what it did to
 * the content: `{ added }` (text at the end), `{ replaced: true }`, or neither.
 */
export function createState() {
  const state = {
    text: '',
    value: null,
    /** Whether events are missing (`gap`): patches do not count until there is a whole value again. */
    isIncomplete: false,
    /** The data of `complete` or `error`. */
    end: undefined,
    take({ event, data }) {
      if (event === 'llm_chunk') {
        state.text += data;
        return { added: data };
      }
      const fields = JSON.parse(data);
      switch (event) {
        case 'structured_delta':
          return takePatch(fields.patch);
        case 'reset':
          // What stood is void, and is said again.
          return become('', null, false);
        case 'gap': {
          const isKnown = 'text' in fields || 'value' in fields;
          return isKnown ? become(fields.text ?? '', fields.value ?? null, false) : become('', null, true);
        }
        case 'complete':
        case 'error':
          state.end = fields;
      }
      return {};
    },
  };

  function become(text, value, isIncomplete) {
    Object.assign(state, { text, value, isIncomplete });
    return { replaced: true };
  }

  function takePatch(patch) {
    const isWhole = patch[0]?.path === '' && patch[0].op !== 'test';
    if (state.isIncomplete && !isWhole) return {};
    state.isIncomplete = false;
    for (const operation of patch) state.value = applyOperation(state.value, operation);
    return { replaced: true };
  }

  return state;
}

/**
 * Applies one operation of RFC 6902 and answers the new value; the old one may have changed.
 * @throws Error where the operation does not apply.
 */
export function applyOperation(value, { op, path, from, value: operand }) {
  switch (op) {
    case 'add':
    case 'replace':
      return put(value, path, structuredClone(operand), op);
    case 'remove':
      return remove(value, path);
    case 'copy':
      return put(value, path, structuredClone(get(value, from)), 'add');
    case 'move': {
      const moved = get(value, from);
      return put(remove(value, from), path, moved, 'add');
    }
    case 'test':
      if (sorted(get(value, path)) !== sorted(operand)) throw new Error(`${path} is not what was expected`);
      return value;
    default:
      throw new Error(`unknown operation ${op}`);
  }
}

/** The keys of a JSON pointer (RFC 6901). */
function keysOf(path) {
  const keys = path.split('/').slice(1);
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function get(value, path) {
  return keysOf(path).reduce((at, key) => step(at, key, path), value);
}

function step(at, key, path) {
  if (at === null || typeof at !== 'object' || !Object.hasOwn(at, key)) {
    throw new Error(`there is nothing at ${path}`);
  }
  return at[key];
}

function placeOf(value, path) {
  const keys = keysOf(path);
  const key = keys.pop();
  return { parent: keys.reduce((at, each) => step(at, each, path), value), key };
}

function put(value, path, operand, op) {
  if (path === '') return operand;
  const { parent, key } = placeOf(value, path);
  if (!Array.isArray(parent)) {
    // Not by assignment: `__proto__` is a key like any other.
    Object.defineProperty(parent, key, {
      value: operand,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else if (op === 'replace') parent[key] = operand;
  else parent.splice(key === '-' ? parent.length : Number(key), 0, operand);
  return value;
}

function remove(value, path) {
  if (path === '') return null;
  const { parent, key } = placeOf(value, path);
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
  return value;
}

/** JSON with its keys in order, to compare by. */
function sorted(value) {
  return JSON.stringify(value, (_, each) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
