/** The page's words for what the protocol says. Pure. */
import type { Action } from '$lib/api';
import type { DeviceState, Outcome, PanicExit, ServiceState, ShowLevels, TurnState } from '$lib/protocol';
import type { Show } from './state';

export type Tone = 'ok' | 'warn' | 'stop' | 'air' | 'quiet';

export interface Status {
	icon: string;
	word: string;
	tone: Tone;
}

/** One glance: what viewers get. */
export function onAir(levels: ShowLevels): Status & { says: string } {
	if (levels.panic) return { icon: '■', word: 'Panic', tone: 'stop', says: 'Everything is silent until you resume.' };
	if (levels.muted) return { icon: '⊘', word: 'Muted', tone: 'warn', says: 'Kitsu is muted. Viewers hear nothing.' };
	if (levels.mode === 'live') return { icon: '●', word: 'On air', tone: 'air', says: 'Chat is answered out loud.' };
	return { icon: '○', word: 'Standby', tone: 'quiet', says: 'Chat is not answered. Lines from this page are.' };
}

const OUTCOMES: Record<Outcome, Status> = {
	spoken: { icon: '✓', word: 'spoken', tone: 'ok' },
	fallback: { icon: '↺', word: 'fallback line', tone: 'warn' },
	blocked: { icon: '⊘', word: 'blocked', tone: 'warn' },
	held: { icon: '‖', word: 'held', tone: 'warn' },
	dropped: { icon: '↓', word: 'dropped', tone: 'quiet' },
	muted: { icon: '⊘', word: 'muted', tone: 'quiet' },
	interrupted: { icon: '»', word: 'cut short', tone: 'quiet' },
	expired: { icon: '◷', word: 'too old', tone: 'quiet' },
	failed: { icon: '✕', word: 'failed', tone: 'stop' },
	panic: { icon: '■', word: 'panic', tone: 'stop' }
};

export function outcome(turn: TurnState): Status {
	return turn.outcome ? OUTCOMES[turn.outcome] : { icon: '…', word: 'running', tone: 'air' };
}

const VERDICTS: Record<Action, Status> = {
	allow: { icon: '✓', word: 'let through', tone: 'ok' },
	careful: { icon: '!', word: 'with care', tone: 'warn' },
	replace: { icon: '↺', word: 'replaced', tone: 'warn' },
	drop: { icon: '⊘', word: 'dropped', tone: 'warn' },
	hold: { icon: '‖', word: 'held', tone: 'warn' },
	stop: { icon: '■', word: 'stopped', tone: 'warn' }
};

export function verdictStatus(action: Action): Status {
	return VERDICTS[action];
}

const SERVICE: Record<ServiceState['state'], Status> = {
	ok: { icon: '✓', word: 'fine', tone: 'ok' },
	degraded: { icon: '!', word: 'degraded', tone: 'warn' },
	failed: { icon: '✕', word: 'failed', tone: 'stop' },
	missing: { icon: '✕', word: 'not running', tone: 'stop' }
};

export function health(service: ServiceState): Status {
	return SERVICE[service.state];
}

const ROLES: Record<string, string> = {
	orchestrator: 'Hub',
	policy: 'Brain',
	tts: 'Voice',
	playout: 'Playout',
	obs: 'OBS',
	control: 'Pages',
	asr: 'Ears',
	vts: 'VTube Studio',
	twitch: 'Twitch'
};

export function roleName(role: string): string {
	return ROLES[role] ?? role;
}

const EXITS: Record<string, string> = {
	voice: 'voice',
	brain: 'brain',
	playout: 'sound',
	captions: 'captions',
	obs: 'OBS',
	vts: 'VTube Studio',
	twitch: 'Twitch chat',
	orchestrator: 'hub',
	launcher: 'second path'
};

/** "overlay:page-12ab" -> "listener page-12ab". */
export function exitName(exit: string): string {
	const [kind, rest] = exit.split(':', 2);
	if (kind === 'overlay' && rest) return rest.startsWith('page') ? `page ${rest.slice(5)}` : `overlay ${rest.slice(8)}`;
	return EXITS[exit] ?? exit;
}

/** Two lists of exits as one: what was confirmed once stays so. */
export function mergeExits(first: PanicExit[], second: PanicExit[]): PanicExit[] {
	const merged = new Map(first.map((one) => [one.exit, one]));
	for (const one of second) {
		if (merged.get(one.exit)?.state !== 'confirmed') merged.set(one.exit, one);
	}
	return [...merged.values()];
}

const DROPS: Record<string, string> = {
	queue_full: 'no room',
	duplicate: 'said before',
	too_long: 'too long',
	empty: 'empty',
	flood: 'flood',
	off_air: 'off air',
	stopped: 'stopped'
};

export function dropReason(reason: string): string {
	return DROPS[reason] ?? reason.replaceAll('_', ' ');
}

/** "just now", "12 s ago", "3 min ago". `ts`: unix µs, `now`: unix ms. */
export function ago(ts: number, now: number): string {
	const seconds = Math.max(0, Math.round(now / 1000 - ts / 1e6));
	if (seconds < 3) return 'just now';
	if (seconds < 60) return `${seconds} s ago`;
	if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
	return `${Math.floor(seconds / 3600)} h ago`;
}

export interface Choice {
	value: string;
	label: string;
}

/** Where she can be heard; the one that was chosen is always among them, gone or not. */
export function deviceChoices(device: DeviceState): Choice[] {
	const { chosen, playing, there } = device;
	const system = device.default || (chosen === 'default' ? playing : '');
	const choices = [{ value: 'none', label: 'Overlay or page' }];
	if (there.length > 0 || chosen === 'default')
		choices.push({ value: 'default', label: system ? `System default (${system})` : 'System default' });
	choices.push(...there.map((name) => ({ value: name, label: name })));
	if (chosen && !choices.some((one) => one.value === chosen))
		choices.push({ value: chosen, label: playing === chosen ? chosen : `${chosen} (not there)` });
	return choices;
}

export interface Hint {
	title: string;
	why: string;
	how: string;
	/** A line to copy, if there is one. */
	code?: string;
}

/** What could be set up next, most useful first. */
export function hints(show: Show): Hint[] {
	const found: Hint[] = [];
	const policy = show.services.find((one) => one.role === 'policy');
	if (policy?.capabilities.engine === 'scripted') {
		found.push({
			title: 'Her own brain',
			why: 'She answers with her written demo lines. A language model lets her talk about anything.',
			how: 'Install Ollama and fetch a model: she finds it by herself within seconds. Other servers: see configs/kitsu.yaml.',
			code: 'kitsu download model llama3.1:8b'
		});
	}
	const tts = show.services.find((one) => one.role === 'tts');
	if (tts?.capabilities.engine === 'espeak') {
		found.push({
			title: 'A warmer voice',
			why: 'She speaks with the small built-in voice: quick, but robotic.',
			how: 'Fetch a natural one, then restart the voice. `kitsu download list` shows what there is.',
			code: 'kitsu download voice en_US-ljspeech-medium\nkitsu restart tts'
		});
	}
	if (show.services.length === 0) return []; // not heard from yet
	const there = new Set(show.services.map((one) => one.role));
	return [...found, ...LINKS.filter(({ role }) => !there.has(role))];
}

const LINKS: (Hint & { role: string })[] = [
	{
		role: 'obs',
		title: 'OBS',
		why: 'Scenes and captions from here, and the safe scene when you press panic.',
		how: 'In OBS: Tools, WebSocket Server Settings, enable it. Put its password into .env as KITSU__OBS__PASSWORD, then:',
		code: 'kitsu restart obs\nkitsu obs setup'
	},
	{
		role: 'twitch',
		title: 'Twitch chat',
		why: 'She answers your chat. Without a login she only reads: KITSU__TWITCH__CHANNEL=NAME in .env.',
		how: 'With one she writes there too, and mods have their commands.',
		code: 'kitsu login twitch'
	},
	{
		role: 'vts',
		title: 'VTube Studio',
		why: 'Your model moves its mouth in step, and wears her faces.',
		how: 'Switch on Start API there, put KITSU__VTS__ENABLED=true into .env, then:',
		code: 'kitsu restart vts'
	}
];
