/** This browser's microphone, spoken into the show through the door. */
import { parseText, type AnyMessage } from '$lib/protocol';
import workletUrl from './microphone.worklet.ts?worker&url';

const WANTED_RATE_HZ = 16_000;
const BEHIND_BYTES = 64_000; // 2 s that the door did not take: what is older is of no use to anybody

export class Microphone {
	state = $state<'off' | 'opening' | 'on'>('off');
	problem = $state('');
	/** RMS, 0 to 1. */
	level = $state(0);
	private context: AudioContext | null = null;
	private stream: MediaStream | null = null;
	private socket: WebSocket | null = null;

	constructor(private conv: string) {}

	async start(): Promise<void> {
		this.state = 'opening';
		this.problem = '';
		try {
			this.stream = await navigator.mediaDevices.getUserMedia({
				audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true }
			});
			await this.listen(this.stream);
		} catch (error) {
			this.stop();
			this.problem = inWords(error);
		}
	}

	stop(): void {
		this.socket?.close();
		this.socket = null;
		this.stream?.getTracks().forEach((track) => track.stop());
		void this.context?.close();
		this.stream = this.context = null;
		this.state = 'off';
		this.level = 0;
	}

	/** The talk key, down and up. */
	talk(pressed: boolean): void {
		if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: 'mic.talk', pressed }));
	}

	private async listen(stream: MediaStream): Promise<void> {
		const { context, source } = await heardAt(stream);
		this.context = context;
		await context.audioWorklet.addModule(workletUrl);
		const node = new AudioWorkletNode(context, 'kitsu-microphone', { numberOfOutputs: 0 });
		source.connect(node);
		this.connect(context.sampleRate);
		node.port.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => this.hand(data);
	}

	private connect(rate_hz: number): void {
		const url = new URL(`/api/v1/mic?conv=${encodeURIComponent(this.conv)}`, location.href);
		url.protocol = url.protocol.replace('http', 'ws');
		const socket = (this.socket = new WebSocket(url));
		socket.onopen = () => socket.send(JSON.stringify({ type: 'mic.hello', rate_hz, label: 'browser' }));
		socket.onmessage = ({ data }: MessageEvent<string>) => this.told(parseText(data));
		socket.onclose = () => {
			if (this.socket !== socket) return;
			this.stop();
			this.problem ||= 'The connection to Kitsu is gone. Start the microphone again when she is back.';
		};
	}

	private told(message: AnyMessage | null): void {
		if (message?.type === 'hello.accepted') this.state = 'on';
		if (message?.type === 'hello.refused') this.problem = message.message;
	}

	private hand(pcm: ArrayBuffer): void {
		const samples = new Int16Array(pcm);
		let power = 0;
		for (const sample of samples) power += sample * sample;
		this.level = Math.sqrt(power / samples.length) / 32768;
		const socket = this.socket;
		if (this.state === 'on' && socket && socket.bufferedAmount < BEHIND_BYTES) socket.send(pcm);
	}
}

/** Let the browser resample where it can (Chromium); elsewhere Kitsu does. */
async function heardAt(stream: MediaStream): Promise<{ context: AudioContext; source: MediaStreamAudioSourceNode }> {
	const context = new AudioContext({ sampleRate: WANTED_RATE_HZ, latencyHint: 'interactive' });
	try {
		return { context, source: context.createMediaStreamSource(stream) };
	} catch {
		await context.close();
		const native = new AudioContext({ latencyHint: 'interactive' });
		return { context: native, source: native.createMediaStreamSource(stream) };
	}
}

function inWords(error: unknown): string {
	const name = error instanceof DOMException ? error.name : '';
	if (name === 'NotAllowedError') return 'The browser does not let this page use the microphone. Allow it in the address bar.';
	if (name === 'NotFoundError') return 'This machine has no microphone that the browser can use.';
	return 'The microphone could not be opened. Close what else uses it, and try again.';
}
