import type { shared as en } from '../en/shared';

export const shared: Record<keyof typeof en, string> = {
  'shared.close': 'Fermer',
  'shared.retry': 'Réessayer',
  'shared.cancel': 'Annuler',
  'shared.download': 'Télécharger',
  'shared.loading': 'Chargement…',
  'shared.previewOf': 'Aperçu de {name}',
  'fault.offline': 'Le serveur ne répond pas. Vérifiez votre connexion ; ce qui a déjà été envoyé est conservé.',
  'fault.expired': 'Votre accès à ce fichier a expiré. Rechargez la page pour en obtenir un nouveau.',
  'fault.missing': "Ce fichier n'existe plus.",
  'fault.changed':
    'Ce fichier a été modifié entre-temps dans une autre fenêtre. Rechargez la page pour voir son état actuel.',
  'fault.tooLarge': 'Ce fichier est plus volumineux que ce que le serveur accepte.',
  'fault.rateLimited': 'Trop de fichiers ont été envoyés en peu de temps. Réessayez dans une minute.',
  'fault.infected': 'Un virus a été trouvé dans ce fichier ; il ne peut pas être ouvert.',
  'fault.refused': 'Le serveur a refusé cette demande.',
  'fault.server':
    "Une erreur s'est produite sur le serveur. Réessayez ; si cela n'aide pas, prévenez les responsables du site.",
};
