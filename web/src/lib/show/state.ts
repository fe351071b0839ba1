/** What the control page knows, and how each message of the stream changes it. Pure. */
import type {
	AnyMessage,
	DeviceState,
	EarsState,
	ObsState,
	PanicExit,
	ServiceState,
	ShowLevels,
	SinkState,
	StateSnapshot,
	StreamNotice,
	TurnState
} from '$lib/protocol';

const RECENT = 20;
const NOTICES = 5;

/** What somebody says into a microphone, or has said last. */
export interface Saying {
	utterance: string;
	who: string;
	text: string;
	/** What became of it: words, a command, or nothing (why). */
	end: '' | 'words' | 'command' | (string & {});
}

export interface Show {
	/** False until the first snapshot. */
	ready: boolean;
	seq: number;
	gens: Record<string, number>;
	levels: ShowLevels;
	character: string;
	services: ServiceState[];
	sinks: SinkState[];
	device: DeviceState;
	current: TurnState[];
	recent: TurnState[];
	waiting: number;
	dropped: Record<string, number>;
	confirmed: PanicExit[];
	/** Null: nothing was heard of OBS yet. */
	obs: ObsState | null;
	/** Null: they do not run. */
	ears: EarsState | null;
	saying: Saying | null;
	notices: StreamNotice[];
}

export const NOTHING: Show = {
	ready: false,
	seq: 0,
	gens: {},
	levels: { mode: 'standby', muted: false, volume: 100, topics: true, panic: null, resumed_at: 0 },
	character: '',
	services: [],
	sinks: [],
	device: { chosen: '', playing: '', trouble: '', there: [], default: '' },
	current: [],
	recent: [],
	waiting: 0,
	dropped: {},
	confirmed: [],
	obs: null,
	ears: null,
	saying: null,
	notices: []
};

/** The show after a message. A snapshot replaces everything; a delta that is older than it changes nothing. */
export function reduce(show: Show, message: AnyMessage): Show {
	if (message.type === 'state.snapshot') return fromSnapshot(show, message);
	if (!show.ready || (message.seq > 0 && message.seq <= show.seq) || stale(show, message)) return show;
	const next = { ...show, seq: Math.max(show.seq, message.seq), gens: noted(show.gens, message) };
	switch (message.type) {
		case 'show.changed':
			return { ...next, levels: message.levels, confirmed: message.confirmed };
		case 'service.changed':
			return {
				...next,
				services: replaced(next.services, message.service),
				...(message.service.role === 'asr' && !message.service.connected ? { ears: null, saying: null } : {})
			};
		case 'playout.sinks':
			return { ...next, sinks: message.sinks };
		case 'playout.devices':
			return { ...next, device: message.device };
		case 'obs.state':
			return { ...next, obs: message };
		case 'asr.state':
			return { ...next, ears: message.ears };
		case 'asr.speech':
		case 'asr.partial':
		case 'asr.final':
		case 'asr.command':
		case 'asr.dropped':
			return { ...next, saying: said(next.saying, message) };
		case 'chat.shed':
			return { ...next, dropped: message.dropped, waiting: message.waiting };
		case 'stream.notice':
			return { ...next, notices: [...next.notices, message].slice(-NOTICES) };
		case 'turn.queued':
			return { ...next, waiting: message.waiting + 1 };
		case 'turn.started': {
			const { turn_id, conv, kind, author, question, ts } = message;
			const turn: TurnState = {
				...EMPTY_TURN,
				turn_id,
				conv,
				kind,
				author,
				question,
				started_at: ts
			};
			const others = next.current.filter((one) => one.turn_id !== turn_id);
			return { ...next, current: [...others, turn], waiting: Math.max(0, next.waiting - 1) };
		}
		case 'turn.segment':
			return changed(next, message.turn_id, (turn) => {
				const segments = [...turn.segments];
				segments[message.segment] = message.content;
				return { ...turn, segments };
			});
		case 'playout.progress':
			return changed(next, message.turn_id, (turn) => ({
				...turn,
				heard: [...turn.heard.filter((one) => one.segment !== message.heard.segment), message.heard]
			}));
		case 'playout.finished':
			return changed(next, message.turn_id, (turn) => ({ ...turn, heard: message.heard }));
		case 'turn.ended': {
			const ended = next.current.find((one) => one.turn_id === message.turn_id);
			if (!ended) return next;
			const { outcome, reason, times } = message;
			return {
				...next,
				current: next.current.filter((one) => one !== ended),
				recent: [...next.recent, { ...ended, outcome, reason, times }].slice(-RECENT)
			};
		}
		default:
			return next;
	}
}

const EMPTY_TURN = {
	segments: [],
	heard: [],
	outcome: null,
	reason: '',
	times: { gate_in_ms: 0, first_token_ms: 0, first_segment_ms: 0, first_chunk_ms: 0, first_audio_ms: 0, endpoint_ms: 0 }
};

function fromSnapshot(show: Show, message: StateSnapshot): Show {
	const { levels, character, services, sinks, device, current, recent, waiting, dropped, confirmed, obs, ears, seq } =
		message;
	return {
		ready: true,
		seq,
		gens: {},
		levels,
		character,
		services,
		sinks,
		device,
		current,
		recent,
		waiting,
		dropped,
		confirmed,
		obs,
		ears,
		saying: show.saying,
		notices: show.notices
	};
}

type Spoken = Extract<AnyMessage, { type: 'asr.speech' | 'asr.partial' | 'asr.final' | 'asr.command' | 'asr.dropped' }>;

function said(before: Saying | null, message: Spoken): Saying | null {
	const { utterance, speaker } = message;
	const same = before?.utterance === utterance;
	const who = speaker.name || speaker.role;
	switch (message.type) {
		case 'asr.speech':
			return same ? before : { utterance, who, text: '', end: '' };
		case 'asr.partial':
			return { utterance, who, text: message.text, end: '' };
		case 'asr.final':
			return { utterance, who, text: message.text, end: 'words' };
		case 'asr.command':
			return { utterance, who, text: message.text, end: 'command' };
		case 'asr.dropped':
			return same ? { utterance, who, text: before.text, end: message.reason } : before;
	}
}

/** Messages of an earlier generation of their conversation; ends, and what is said to her, are always heard. */
function stale(show: Show, message: AnyMessage): boolean {
	if (message.type.startsWith('asr.')) return false;
	if (message.type === 'turn.ended' || message.type === 'playout.finished') return false;
	return message.conv !== '' && message.gen < (show.gens[message.conv] ?? 0);
}

function noted(gens: Record<string, number>, message: AnyMessage): Record<string, number> {
	if (message.conv === '' || message.gen <= (gens[message.conv] ?? 0)) return gens;
	return { ...gens, [message.conv]: message.gen };
}

function replaced(services: ServiceState[], service: ServiceState): ServiceState[] {
	const known = services.some((one) => one.role === service.role);
	return known ? services.map((one) => (one.role === service.role ? service : one)) : [...services, service];
}

function changed(show: Show, turnId: string, change: (turn: TurnState) => TurnState): Show {
	return { ...show, current: show.current.map((turn) => (turn.turn_id === turnId ? change(turn) : turn)) };
}

/** A turn's text, cut where listening has got to. */
export function heardSplit(turn: TurnState): { heard: string; rest: string }[] {
	const chars = new Map(turn.heard.map((one) => [one.segment, one.chars]));
	return turn.segments.map((segment, index) => {
		const points = Array.from(segment.text.text);
		const cut = chars.get(index) ?? 0;
		return { heard: points.slice(0, cut).join(''), rest: points.slice(cut).join('') };
	});
}
