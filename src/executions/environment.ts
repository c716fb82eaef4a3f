/** The environment a container finds, as the contract has it (§9.2). Later wins; the image's own lies underneath. */

import type { Actor } from '../actors/actor.ts';
import { type ConfigValue, renderConfigs } from '../actors/config.ts';
import type { Execution, Message } from './execution.ts';
import { renderValue, type ValueText } from './value-text.ts';

export interface EnvironmentInputs {
  readonly actor: Actor;
  readonly execution: Execution;
  readonly message: Message;
  /** The message's body; absent for binary messages. */
  readonly text?: string;
  /** State of the actor at the start. */
  /** Its state, JSON as it was sent. */
  readonly stateJson: string;
  /** What the actor is given by name, secrets in clear. */
  readonly configs: readonly ConfigValue[];
  readonly workerId: string;
  readonly accessToken: string;
  /** Base URL at which the container reaches the API. */
  readonly apiServer: string;
  readonly valueText: ValueText;
}

export function buildEnvironment(inputs: EnvironmentInputs): Readonly<Record<string, string>> {
  const { actor, message } = inputs;
  const environment: Record<string, string> = {};
  /** A null leaves the variable unset, as the original's Docker client did. */
  const set = (name: string, value: unknown): void => {
    if (value !== null && value !== undefined) environment[name] = renderValue(JSON.stringify(value), inputs.valueText);
  };
  for (const [name, value] of Object.entries(actor.defaultEnvironment)) set(name, value);
  Object.assign(environment, message.environment, ofServer(inputs), ofWorker(inputs));
  const { text } = inputs;
  if (text !== undefined) {
    environment['MSG'] = message.contentType === 'application/json' ? renderValue(text, inputs.valueText) : text;
  }
  return environment;
}

/** What is known since the message came. Of a schedule nobody is known who asked, nor where; of an event no revision. */
function ofServer({ execution, message, apiServer }: EnvironmentInputs): Record<string, string> {
  const { cause } = message;
  return {
    ...(cause === 'schedule' ? {} : { _abaco_username: execution.executor, _abaco_api_server: apiServer }),
    ...(message.jwtHeaderName === undefined ? {} : { _abaco_jwt_header_name: message.jwtHeaderName }),
    _abaco_execution_id: execution.id,
    // The original sets the first; its own client library reads the second.
    _abaco_Content_Type: message.contentType,
    '_abaco_Content-Type': message.contentType,
    ...(cause === 'event' ? {} : { _abaco_actor_revision: String(execution.revision) }),
  };
}

function ofWorker(inputs: EnvironmentInputs): Record<string, string> {
  const { actor, configs, stateJson, workerId, accessToken, valueText } = inputs;
  return {
    _abaco_actor_id: actor.id,
    _abaco_actor_dbid: `${actor.tenant}_${actor.id}`,
    _abaco_actor_name: actor.name ?? 'None',
    _abaco_actor_state: renderValue(stateJson, valueText),
    _abaco_container_repo: actor.image,
    _abaco_worker_id: workerId,
    _abaco_access_token: accessToken,
    _actor_configs: renderConfigs(configs, valueText),
  };
}
