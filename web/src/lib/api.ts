/** The door's REST, typed. */
import type { AuthorRole, DeviceState, PanicExit, SourceState } from '$lib/protocol';

export class ApiError extends Error {
	constructor(
		readonly status: number,
		readonly code: string,
		message: string
	) {
		super(message);
	}
}

export type Verb = 'resume' | 'mute' | 'unmute' | 'skip' | 'live' | 'standby';

export interface PanicAnswer {
	panic_id: string;
	exits: PanicExit[];
	took_ms: number;
}

export interface OverlayAddress {
	key: string;
	url: string;
}

export type Action = 'allow' | 'careful' | 'replace' | 'drop' | 'hold' | 'stop';

/** One verdict of the gate. `text` is what was blocked: it comes by REST only, and never on the stream. */
export interface Verdict {
	id: number;
	turn_id: string;
	at: number;
	stage: 'input' | 'output';
	surface: string;
	action: Action;
	rule: string;
	category: string;
	ms: number;
	text: string;
	found: string;
	because: string;
}

export interface HeldLine {
	turn_id: string;
	author: string;
	category: string;
	text: string;
	expires_in_s: number;
}

const NO_DOOR = 'The control door does not answer. Kitsu goes on; in a terminal, `kitsu status` says why.';

async function ask<T>(method: string, path: string, body?: object): Promise<T> {
	let answer: Response;
	try {
		answer = await fetch(path, {
			method,
			headers: body ? { 'content-type': 'application/json' } : {},
			body: body && JSON.stringify(body)
		});
	} catch {
		throw new ApiError(0, 'door_down', NO_DOOR);
	}
	const data = answer.status === 204 ? undefined : await answer.json().catch(() => undefined);
	if (!answer.ok) {
		const { code = 'unknown', message = `The door answered ${answer.status}.` } = data?.error ?? {};
		throw new ApiError(answer.status, code, message);
	}
	return data as T;
}

export const api = {
	signedIn: async () => (await ask<{ signed_in: boolean }>('GET', '/auth/session')).signed_in,
	signIn: (key: string) => ask<void>('POST', '/auth/session', { key }),
	signOut: () => ask<void>('DELETE', '/auth/session'),
	overlay: () => ask<OverlayAddress>('GET', '/auth/overlay-key'),
	rotateOverlay: () => ask<OverlayAddress>('POST', '/auth/overlay-key/rotate'),
	chat: (text: string, author: string, role: AuthorRole) =>
		ask<{ turn_id: string }>('POST', '/api/v1/chat', { text, author, role }),
	say: (text: string, now: boolean) => ask<{ turn_id: string }>('POST', '/api/v1/say', { text, now }),
	control: (verb: Verb) => ask<unknown>('POST', `/api/v1/control/${verb}`),
	panic: (by: 'page' | 'key') => ask<PanicAnswer>('POST', '/api/v1/control/panic', { by }),
	volume: (percent: number) => ask<unknown>('POST', '/api/v1/control/volume', { percent }),
	topics: (on: boolean) => ask<unknown>('POST', '/api/v1/control/topics', { on }),
	resetVts: () => ask<unknown>('POST', '/api/v1/vts/reset'),
	devices: () => ask<DeviceState>('GET', '/api/v1/devices'),
	device: (device: string) => ask<{ device: string }>('POST', '/api/v1/control/device', { device }),
	voice: (choice: string) => {
		const [engine, voice = ''] = choice.split(/\/(.*)/s);
		return ask<{ engine: string; voice: string }>('POST', '/api/v1/voice', { engine, voice });
	},
	obsScene: (scene: string) => ask<unknown>('POST', '/api/v1/obs/scene', { scene }),
	obsPreset: (preset: string) => ask<unknown>('POST', '/api/v1/obs/preset', { preset }),
	obs: (order: 'reset' | 'restore') => ask<unknown>('POST', `/api/v1/obs/${order}`),
	ears: (order: 'mute' | 'unmute') => ask<unknown>('POST', `/api/v1/ears/${order}`),
	earsMode: (mode: SourceState['mode']) => ask<unknown>('POST', '/api/v1/ears/mode', { mode }),
	microphones: () => ask<unknown>('GET', '/api/v1/ears/devices'),
	microphone: (device: string) => ask<{ device: string }>('POST', '/api/v1/ears/use', { device }),
	verdicts: (limit = 8) => ask<Verdict[]>('GET', `/api/v1/safety/verdicts?limit=${limit}`),
	held: () => ask<HeldLine[]>('GET', '/api/v1/safety/held'),
	answerHeld: (turn: string, answer: 'allow_once' | 'deny') =>
		ask<unknown>('POST', `/api/v1/safety/held/${encodeURIComponent(turn)}`, { answer }),
	blockTerm: (term: string) => ask<unknown>('POST', '/api/v1/safety/block', { term }),
	allowPhrase: (phrase: string) => ask<unknown>('POST', '/api/v1/safety/allow', { phrase }),
	restart: (service: string) => ask<unknown>('POST', `/api/v1/modules/${service}`, { action: 'restart' })
};
