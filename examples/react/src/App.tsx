// A list of agents, and one of them with its text, its tool calls, its status and its connection.
import type { ExecutionState, ListedExecution, ToolCall } from 'execstream/client';
import { type HookResult, useExecution, useExecutions } from 'execstream/client/react';
import { useSyncExternalStore } from 'react';

export function App() {
  const { state: agents, connection } = useExecutions({ kind: 'agent', first: 30 });
  const id = useHash() || agents[0]?.id;
  return (
    <>
      <nav>
        <h1>Agents</h1>
        <ul>
          {agents.map((agent) => (
            <AgentLink key={agent.id} agent={agent} isCurrent={agent.id === id} />
          ))}
        </ul>
        {agents.length === 0 && <p className="hint">{connection.status === 'live' ? 'None yet.' : '…'}</p>}
      </nav>
      <main>{id ? <Agent key={id} id={id} /> : <p className="hint">Waiting for the first agent …</p>}</main>
    </>
  );
}

function AgentLink({ agent, isCurrent }: { agent: ListedExecution; isCurrent: boolean }) {
  const startedAt = new Date(agent.startedAt).toLocaleTimeString();
  return (
    <li>
      <a href={`#${encodeURIComponent(agent.id)}`} aria-current={isCurrent ? 'page' : undefined}>
        <i className={`dot ${agent.status}`} />
        <span>
          {agent.name ?? agent.id}
          <small>
            {startedAt} · {agent.status.toLowerCase()}
          </small>
        </span>
      </a>
    </li>
  );
}

function Agent({ id }: { id: string }) {
  const execution = useExecution('agent', id);
  const { state } = execution;
  return (
    <article>
      <header>
        <h2>{id}</h2>
        <output id="status" className={`badge ${state.status ?? ''}`}>
          {state.status ?? 'PENDING'}
        </output>
        <Connection {...execution} />
      </header>
      <ol className="tools">
        {state.toolCalls.map((call) => (
          <Tool key={call.id} {...call} />
        ))}
      </ol>
      <pre id="text" className={state.end ? '' : 'growing'}>
        {state.text || (state.value === null ? '' : JSON.stringify(state.value, null, 2))}
      </pre>
      <Footer {...state} />
    </article>
  );
}

function Connection({ connection, error, retry }: HookResult<ExecutionState>) {
  const reason = connection.status === 'waiting' ? connection.reason : error?.message;
  return (
    <div className="connection">
      <output id="connection" className={connection.status} title={reason}>
        {connection.status}
      </output>
      {error && (
        <button type="button" onClick={retry}>
          Retry
        </button>
      )}
      {reason && <small>{reason}</small>}
    </div>
  );
}

function Tool({ name, status, args, result, error, durationMs }: ToolCall) {
  return (
    <li className={`tool ${status}`}>
      <b>{name}</b>
      {args !== undefined && <code>{JSON.stringify(args)}</code>}
      {result !== undefined && <code>→ {JSON.stringify(result)}</code>}
      {error && <code>→ {error}</code>}
      <small>{durationMs === undefined ? status : `${durationMs} ms`}</small>
    </li>
  );
}

function Footer({ end, attempt, text, usage, warnings }: ExecutionState) {
  const facts = [
    text && `${text.length.toLocaleString()} characters`,
    attempt > 1 && `attempt ${attempt}`,
    usage && `${usage.totalTokens.toLocaleString()} tokens`,
    end && `${(end.durationMs / 1_000).toFixed(1)} s`,
  ];
  return (
    <footer>
      {end && 'message' in end && <p className="failure">{end.message}</p>}
      {warnings.map(({ code, message }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: warnings have no other identity, and are never reordered.
        <p key={i} className="warning">
          {code}: {message}
        </p>
      ))}
      <small>{facts.filter(Boolean).join(' · ')}</small>
    </footer>
  );
}

function useHash(): string {
  const subscribe = (listener: () => void) => {
    window.addEventListener('hashchange', listener);
    return () => window.removeEventListener('hashchange', listener);
  };
  return useSyncExternalStore(subscribe, () => decodeURIComponent(location.hash.slice(1)));
}
