/**
 * agavepy's helpers inside the sample images (contract §15.2) and AbacoExecutor against them (§15.3), in real
 * containers that reach the API over the engine's bridge.
 *
 * Not here: get_client without a token of the execution (a JWT "123", which only a service without keys would take), and
 * AbacoExecutor's own images, which are the original's. A function that comes as its code needs the same Python at both
 * ends, so such are sent from a container of the same image.
 */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientSite, canRunClients, startClientSite } from '../support/client-site.ts';
import { connectDocker } from '../support/docker.ts';
import { packageRoot } from '../support/package-root.ts';

const runs = await canRunClients();

/** The function runner's Python, running its message instead. */
const programImage = 'abaco-test-python:1';

let site: ClientSite;

beforeAll(async () => {
  if (!runs) return;
  await promisify(execFile)('sh', [
    join(packageRoot, 'scripts', 'build-images.sh'),
    'python-function',
    'python-numpy-function',
  ]);
  await commitProgramImage();
  site = await startClientSite();
}, 300_000);

afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  if (runs) await connectDocker().getImage(programImage).remove({ force: true });
});

async function commitProgramImage(): Promise<void> {
  const container = await connectDocker().createContainer({ Image: 'abaco/python-numpy-function' });
  const [repo, tag] = programImage.split(':');
  const program = ['/usr/bin/python3', '-c', 'import os; exec(os.environ["PROGRAM"])'];
  await container.commit({ repo, tag, changes: [`ENTRYPOINT ${JSON.stringify(program)}`] });
  await container.remove({ force: true });
}

interface Run {
  readonly logs: string;
  readonly state: unknown;
  /** As Python repeats them. */
  readonly results: readonly string[];
}

/** Runs `program` in a container for one message, which `send` sends; `actor` is its actor, made with `settings`. */
async function inContainer(program: string, send: string, settings: object = {}): Promise<Run> {
  const body = {
    image: programImage,
    stateless: false,
    name: 'helpers',
    defaultEnvironment: { ...site.environment, PROGRAM: program },
    ...settings,
  };
  return (await site.python(`
import time, cloudpickle
actor = ag.actors.add(body=json.loads(${JSON.stringify(JSON.stringify(body))}))["id"]
execution = ${send}["executionId"]
while ag.actors.getExecution(actorId=actor, executionId=execution)["status"] != "COMPLETE": time.sleep(0.1)
results = []
while True:
    content = ag.actors.getOneExecutionResult(actorId=actor, executionId=execution).content
    if not content: break
    results.append(repr(cloudpickle.loads(content)) if content[:1] == b"\\x80" else repr(content))
answer = {
    "logs": ag.actors.getExecutionLogs(actorId=actor, executionId=execution)["logs"],
    "state": ag.actors.getState(actorId=actor)["state"],
    "results": results,
}`)) as Run;
}

const json = (message: string) => `ag.actors.sendMessage(actorId=actor, body=${message})`;

describe.runIf(runs)('§15.2 agavepy.actors in a container', () => {
  it('get_context tells who and what, of a message that is JSON its dictionary too', async () => {
    const { logs } = await inContainer(
      `import json
from agavepy.actors import get_context
context = get_context()
print(json.dumps({name: context[name] for name in ("message_dict", "content_type", "username", "state", "actor_dbid", "_abaco_actor_name", "_abaco_container_repo", "raw_message_parse_log")}))
print(context["actor_id"] == context["_abaco_actor_id"], bool(context["execution_id"]), bool(context["_abaco_worker_id"]))`,
      json('{"a": True, "b": None}'),
    );
    const [context = '', ids] = logs.split('\n');
    expect(JSON.parse(context)).toEqual({
      message_dict: { a: true, b: null },
      content_type: 'application/json',
      username: 'olga',
      state: '{}',
      actor_dbid: expect.stringMatching(/^LAB_/),
      _abaco_actor_name: 'helpers',
      _abaco_container_repo: programImage,
      raw_message_parse_log: '',
    });
    expect(ids).toBe('True True True');
  });

  it('get_context has the text of a message that is none', async () => {
    const { logs } = await inContainer(
      'from agavepy.actors import get_context; c = get_context(); print(c["raw_message"], c["content_type"], c["message_dict"])',
      json('{"message": "to be"}'),
    );
    expect(logs).toBe('to be str {}\n');
  });

  it('get_client reaches the API at the api_server of the tenant, as the owner', async () => {
    const { logs } = await inContainer(
      `import os
from agavepy.actors import get_client
actor = get_client().actors.get(actorId=os.environ["_abaco_actor_id"])
print(os.environ["_abaco_api_server"], actor["owner"])`,
      json('{"message": "m"}'),
    );
    expect(logs).toBe(`${site.gateway.url} olga\n`);
  });

  it('update_state sets the state of the actor', async () => {
    const { state } = await inContainer(
      'from agavepy.actors import update_state; update_state({"count": [1, None]})',
      json('{"message": "m"}'),
    );
    expect(state).toEqual({ count: [1, null] });
  });

  it('get_binary_message reads a message whole that is longer than a pipe holds', async () => {
    const { logs } = await inContainer(
      `import hashlib
from agavepy.actors import get_binary_message, get_context
data = get_binary_message()
print(len(data), hashlib.sha256(data).hexdigest(), get_context()["raw_message"])`,
      'ag.actors.sendBinaryMessage(actorId=actor, message=bytes(300000), headers={"Content-Type": "application/octet-stream"})',
    );
    expect(logs).toMatch(/^300000 [0-9a-f]{64} None\n$/);
  });

  it('send_bytes_result and send_python_result hand back results in their order', async () => {
    const { results } = await inContainer(
      `from agavepy.actors import send_bytes_result, send_python_result
send_bytes_result(b"raw")
send_python_result({"a": (1, 2)})`,
      json('{"message": "m"}'),
    );
    expect(results).toEqual(["b'raw'", "{'a': (1, 2)}"]);
  });
});

/** An executor for an actor of the image. */
const executor = (image: string) => `
import cloudpickle, math, numpy, operator
actor = ag.actors.add(body={"image": "${image}", "stateless": True, "name": "agpy_abaco_executor"})["id"]
executor = AbacoExecutor(ag, actor_id=actor)
`;

describe.runIf(runs)('§15.3 AbacoExecutor', () => {
  it('registers an actor of the image it is given, waits until it is READY, and deletes it', async () => {
    const answer = await site.python(`
executor = AbacoExecutor(ag, image="abaco/python-function")
answer = [executor.status, ag.actors.get(actorId=executor.actor_id)["name"]]
executor.delete()
answer.append(executor.actor_id in [each["id"] for each in ag.actors.list()])`);
    expect(answer).toEqual(['READY', 'agpy_abaco_executor', false]);
  });

  it('does what the README says in three lines', async () => {
    const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
    const lines = /```python\n(.+?)```/s.exec(readme)?.[1] ?? '';
    const answer = await site.python(`
import numpy
TOKEN = parameters["settings"]["token"]
matrix = numpy.array([[2.0, 0.0], [0.0, 4.0]])
${lines}
answer = inverse.tolist()`);
    expect(answer).toEqual([
      [0.5, 0],
      [0, 0.25],
    ]);
  });

  it('submits, maps and calls functions of modules', async () => {
    const answer = await site.python(`${executor('abaco/python-function')}
submitted = executor.submit(math.hypot, 3, 4)
mapped = executor.map(operator.mul, [[2, 3], [4, 5]])
answer = [submitted.result(), submitted.done(), [each.result() for each in mapped], executor.blocking_call(int, "ff", base=16)]`);
    expect(answer).toEqual([[5], true, [[6], [20]], [255]]);
  });

  it('computes with NumPy, arrays in and arrays out', async () => {
    const answer = await site.python(`${executor('abaco/python-numpy-function')}
matrix = numpy.array([[2.0, 1.0], [1.0, 3.0]])
[inverse] = executor.blocking_call(numpy.linalg.inv, matrix)
mapped = executor.map(numpy.linalg.norm, [[numpy.array([3.0, 4.0])], [numpy.array([5.0, 12.0])]])
answer = [bool(numpy.allclose(inverse @ matrix, numpy.eye(2))), [float(each.result()[0]) for each in mapped]]`);
    expect(answer).toEqual([true, [5, 13]]);
  });

  it('calls functions that come as their code, sent by an actor that is a client itself', async () => {
    const answer = await site.python(executor('abaco/python-numpy-function').concat('answer = actor'));
    const { logs } = await inContainer(
      `import numpy
from agavepy.actors import AbacoExecutor, get_client
executor = AbacoExecutor(get_client(), actor_id="${String(answer)}")
scale = 2
print(executor.blocking_call(lambda values: float((values * scale).sum()), numpy.arange(4)))`,
      json('{"message": "m"}'),
    );
    expect(logs).toBe('[12.0]\n');
  });

  it('is told in the log what is wrong with a message or a value', async () => {
    const answer = await site.python(`${executor('abaco/python-function')}
import time
def log_of(sent):
    while ag.actors.getExecution(actorId=actor, executionId=sent["executionId"])["status"] != "COMPLETE": time.sleep(0.1)
    return ag.actors.getExecutionLogs(actorId=actor, executionId=sent["executionId"])["logs"]
text = log_of(ag.actors.sendMessage(actorId=actor, body={"message": "m"}))
binary = {"Content-Type": "application/octet-stream"}
broken = log_of(ag.actors.sendBinaryMessage(actorId=actor, message=b"no pickle", headers=binary))
large = cloudpickle.dumps({"func": operator.mul, "args": ["x", 500000], "kwargs": {}})
answer = [text, broken, log_of(ag.actors.sendBinaryMessage(actorId=actor, message=large, headers=binary))]`);
    expect(answer).toEqual([
      expect.stringContaining('The message is no bytes'),
      expect.stringContaining('The message was not unpickled by Python 3.13'),
      expect.stringContaining('bytes, which is more than a result holds'),
    ]);
  });
});
