/**
 * agavepy 0.9.5 as PyPI has it, nothing changed (contract §15.1): each of its operations on the real service.
 *
 * It always speaks TLS on the port of its host, hence the gateway. Two mistakes of its own are not tried: with a JWT
 * it cuts a 2 or a v off the end of a path, and AbacoExecutor waits for ever for an execution in ERROR.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientSite, canRunClients, startClientSite } from '../support/client-site.ts';
import { ensureTestImage, testImage } from '../support/test-image.ts';

const runs = await canRunClients();

let site: ClientSite;

beforeAll(async () => {
  if (!runs) return;
  await ensureTestImage();
  site = await startClientSite();
});

afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

/** An actor that is READY, as `actor`. */
const actor = (settings = '') => `
import time
actor = ag.actors.add(body={"image": "${testImage}", "name": "a"${settings}})["id"]
while ag.actors.get(actorId=actor)["status"] != "READY": time.sleep(0.1)
def ended(execution):
    while ag.actors.getExecution(actorId=actor, executionId=execution)["status"] != "COMPLETE": time.sleep(0.1)
    return execution
`;

describe.runIf(runs)('§15.1 agavepy', () => {
  it('adds, gets, lists, updates and deletes actors, whose names are camel case', async () => {
    const answer = await site.python(`${actor()}
got = ag.actors.get(actorId=actor)
listed = [each["id"] for each in ag.actors.list()]
updated = ag.actors.update(actorId=actor, body={"image": "${testImage}", "description": "new"})
deleted = ag.actors.delete(actorId=actor)
answer = [got["id"] == actor, got["image"], got["lastUpdateTime"].isoformat() if hasattr(got["lastUpdateTime"], "isoformat") else got["lastUpdateTime"], actor in listed, updated["description"], deleted, actor in [each["id"] for each in ag.actors.list()]]`);
    expect(answer).toEqual([true, testImage, expect.stringMatching(/^\d{4}-/), true, 'new', null, false]);
  });

  it('raises HTTPError where the answer is an error, with our message in it', async () => {
    const answer = await site.python(`
import requests
try:
    ag.actors.get(actorId="nobody")
except requests.HTTPError as error:
    answer = [error.response.status_code, error.response.json()["message"]]`);
    expect(answer).toEqual([404, expect.stringContaining("Actor with identifier 'nobody' not found")]);
  });

  it('sends messages with an environment, and reads executions, logs and results', async () => {
    const answer = await site.python(`${actor(', "defaultEnvironment": {"NAME": "default"}')}
sent = ag.actors.sendMessage(actorId=actor, body={"message": "hello"}, environment={"NAME": "given"})
execution = ended(sent["executionId"])
listing = ag.actors.listExecutions(actorId=actor)
logs = ag.actors.getExecutionLogs(actorId=actor, executionId=execution)
result = ag.actors.getOneExecutionResult(actorId=actor, executionId=execution)
one = ag.actors.getExecution(actorId=actor, executionId=execution)
answer = [sent["msg"], one["exitCode"], one["actorId"] == actor, listing["totalExecutions"], listing["executions"][0]["id"] == execution, logs["logs"], result.status_code, len(result.content)]`);
    expect(answer).toEqual(['hello', 0, true, 1, true, '', 200, 0]);
  });

  it('sends bytes', async () => {
    const answer = await site.python(`${actor()}
sent = ag.actors.sendBinaryMessage(actorId=actor, message=bytes(range(256)), headers={"Content-Type": "application/octet-stream"})
answer = [sent["msg"], bool(ended(sent["executionId"]))]`);
    expect(answer).toEqual(['binary - omitted', true]);
  });

  it('counts and purges messages, of which it knows no answer', async () => {
    const answer = await site.python(`${actor()}
counted = ag.actors.getMessages(actorId=actor)["messages"]
try:
    ag.actors.deleteMessages(actorId=actor)
    purged = "answered"
except KeyError:
    purged = "KeyError"
answer = [counted, purged]`);
    expect(answer).toEqual([0, 'KeyError']);
  });

  it('reads and sets the state', async () => {
    const answer = await site.python(`${actor(', "stateless": False')}
ag.actors.updateState(actorId=actor, body={"deep": {"count": 1}})
answer = ag.actors.getState(actorId=actor)["state"]`);
    expect(answer).toEqual({ deep: { count: 1 } });
  });

  it('reads and gives permissions', async () => {
    const answer = await site.python(`${actor()}
ag.actors.updatePermissions(actorId=actor, body={"user": "jane", "level": "READ"})
answer = ag.actors.getPermissions(actorId=actor)`);
    expect(answer).toEqual({ olga: 'UPDATE', jane: 'READ' });
  });

  it('lists, adds, gets and deletes workers, of which it cannot read the answer to adding', async () => {
    const answer = await site.python(
      `${actor()}
try:
    ag.actors.addWorker(actorId=actor, body={"num": 2})
except TypeError:
    pass
while len(ag.actors.listWorkers(actorId=actor)) < 2: time.sleep(0.1)
worker = ag.actors.listWorkers(actorId=actor)[0]["id"]
got = ag.actors.getWorker(actorId=actor, workerId=worker)
answer = [got["id"] == worker, got["status"], ag.actors.deleteWorker(actorId=actor, workerId=worker)]`,
      { role: 'admin' },
    );
    expect(answer).toEqual([true, 'READY', null]);
  });

  it('lists, adds, gets and deletes nonces, and sends a message with nothing but one', async () => {
    const answer = await site.python(`${actor()}
nonce = ag.actors.addNonce(actorId=actor, body={"level": "EXECUTE", "maxUses": 2})["id"]
settings = {key: value for key, value in parameters["settings"].items() if key != "token"}
bearer = Agave(use_nonce=True, **settings)
sent = bearer.actors.sendMessage(actorId=actor, body={"message": "m"}, nonce=nonce)
got = ag.actors.getNonce(actorId=actor, nonceId=nonce)
listed = [each["id"] for each in ag.actors.listNonces(actorId=actor)]
answer = [bool(sent["executionId"]), got["remainingUses"], listed == [nonce], ag.actors.deleteNonce(actorId=actor, nonceId=nonce), len(ag.actors.listNonces(actorId=actor))]`);
    expect(answer).toEqual([true, 1, true, null, 0]);
  });

  it('lists, adds, gets and deletes aliases', async () => {
    const answer = await site.python(`${actor()}
ag.actors.addAlias(body={"actorId": actor, "alias": "calc"})
got = ag.actors.getAlias(alias="calc")
listed = [each["alias"] for each in ag.actors.listAliases()]
by_alias = ag.actors.get(actorId="calc")["id"]
answer = [got["actorId"] == actor, got["owner"], "calc" in listed, by_alias == actor, ag.actors.deleteAlias(alias="calc")]`);
    expect(answer).toEqual([true, 'olga', true, true, null]);
  });

  it('searches by the query of list, having no getSearch in this release, and cannot read the answer', async () => {
    const answer = await site.python(`
answer = ["getSearch" in dir(ag.actors), len(ag.actors.list(search={"image": "none"}))]`);
    expect(answer).toEqual([false, 2]);
  });

  it('shows a JWT in the header of its tenant, as behind a gateway', async () => {
    const answer = await site.python('answer = [each for each in ag.actors.list()]', { jwt: true, user: 'nobody' });
    expect(answer).toEqual([]);
  });
});
