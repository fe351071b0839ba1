/** A websocket that comes back by itself. */

const FIRST_MS = 100;
const MAX_MS = 1000;

/** How long to wait before try number `tries` (0, 1, …): doubling up to 1 s, with jitter. `random`: 0..1. */
export function backOff(tries: number, random: number): number {
	const full = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(tries, 10));
	return full * (0.5 + random / 2);
}

export interface Handlers {
	/** Connected; send what must come first. */
	open?: (socket: WebSocket) => void;
	message: (data: string | ArrayBuffer) => void;
	/** Gone. Return false to stay away. */
	closed?: (code: number) => boolean | void;
}

export class LastingSocket {
	private socket: WebSocket | null = null;
	private timer: ReturnType<typeof setTimeout> | undefined;
	private tries = 0;
	private ended = false;

	constructor(
		private path: string,
		private handlers: Handlers
	) {
		this.connect();
	}

	/** Send if connected. */
	send(message: object): void {
		if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
	}

	/** Close for good. */
	end(): void {
		this.ended = true;
		clearTimeout(this.timer);
		this.socket?.close();
	}

	private connect(): void {
		const socket = new WebSocket(new URL(this.path, location.href.replace(/^http/, 'ws')));
		socket.binaryType = 'arraybuffer';
		socket.onopen = () => this.handlers.open?.(socket);
		socket.onmessage = ({ data }) => {
			this.tries = 0;
			this.handlers.message(data);
		};
		socket.onclose = ({ code }) => {
			if (this.ended) return;
			if (this.handlers.closed?.(code) === false) return;
			this.timer = setTimeout(() => this.connect(), backOff(this.tries++, Math.random()));
		};
		this.socket = socket;
	}
}
