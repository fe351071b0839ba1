/** `/overlay?captions=0&question=0&mouth=0&sound=0`: what a streamer leaves out. Pure. */

export interface Switches {
	captions: boolean;
	question: boolean;
	mouth: boolean;
	sound: boolean;
}

export function switches(query: URLSearchParams): Switches {
	const on = (name: string) => !['0', 'off', 'false', 'no'].includes(query.get(name)?.toLowerCase() ?? '');
	return { captions: on('captions'), question: on('question'), mouth: on('mouth'), sound: on('sound') };
}
