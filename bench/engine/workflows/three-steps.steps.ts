const addOne = async (input: number) => input + 1

export const steps = { First: addOne, Second: addOne, Third: addOne }
