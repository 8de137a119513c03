"""Workers: they lease tasks from the service, run engines over documents, and hand back what those make.

actors/    between the queue and the engines
engines/   documents in, PDF out, in processes of their own
"""
