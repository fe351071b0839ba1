/** The control room's memory: the show as the stream tells it, and what the operator's hands are doing. */
import { api, ApiError, type Verb } from '$lib/api';
import { parseText, type PanicExit, type TurnState } from '$lib/protocol';
import { LastingSocket } from '$lib/reconnect';
import { NOTHING, reduce, type Show } from './state';
import { mergeExits } from './words';

export type Connection = 'connecting' | 'open' | 'lost';

export class Room {
	show = $state.raw<Show>(NOTHING);
	connection = $state<Connection>('connecting');
	/** Why the last order did not work; empty when it did. */
	trouble = $state('');
	pending = $state<Record<string, boolean>>({});
	/** The panic story of this page's own press. */
	pressed = $state.raw<{ id: string; exits: PanicExit[] } | null>(null);
	pressing = $state(false);
	now = $state(Date.now());
	private socket: LastingSocket;
	private clock = setInterval(() => (this.now = Date.now()), 1000);

	constructor() {
		this.socket = new LastingSocket('/api/v1/stream', {
			message: (data) => {
				if (typeof data !== 'string') return;
				const message = parseText(data);
				if (message) this.show = reduce(this.show, message);
				this.connection = 'open';
			},
			closed: () => {
				this.connection = 'lost';
			}
		});
	}

	end(): void {
		clearInterval(this.clock);
		this.socket.end();
	}

	/** The last answer, while no other turn runs. */
	get lastSpoken(): TurnState | undefined {
		if (this.show.current.length > 0) return undefined;
		return this.show.recent.findLast((turn) => turn.segments.length > 0);
	}

	/** Each exit's answer to the panic that holds, from the press and from the stream. */
	get exits(): PanicExit[] {
		const holds = this.show.levels.panic?.panic_id;
		const mine = this.pressed && (!holds || holds === this.pressed.id) ? this.pressed.exits : [];
		return holds ? mergeExits(mine, this.show.confirmed) : mine;
	}

	async panic(by: 'page' | 'key'): Promise<void> {
		this.pressing = true;
		this.trouble = '';
		try {
			const answer = await api.panic(by);
			this.pressed = { id: answer.panic_id, exits: answer.exits };
		} catch (error) {
			this.fail(error, 'PANIC did not reach the door. Type `kitsu panic` in a terminal, or mute Kitsu in OBS.');
		} finally {
			this.pressing = false;
		}
	}

	control(verb: Verb): Promise<boolean> {
		return this.order(verb, () => api.control(verb));
	}

	/** Run one order, showing it as pending. True: it worked. */
	async order(name: string, run: () => Promise<unknown>): Promise<boolean> {
		this.pending[name] = true;
		this.trouble = '';
		try {
			await run();
			if (name === 'resume') this.pressed = null;
			return true;
		} catch (error) {
			this.fail(error);
			return false;
		} finally {
			this.pending[name] = false;
		}
	}

	private fail(error: unknown, instead = ''): void {
		if (!(error instanceof ApiError)) throw error;
		if (error.code === 'not_signed_in') location.reload();
		this.trouble = instead || error.message;
	}
}
